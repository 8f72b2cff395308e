import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildE2eProgram } from "../conformance/e2e-program.ts";
import { endPodsPath, forcePodsPath } from "../conformance/pods-path.ts";
import { logOf, runSpec } from "../conformance/run-spec.ts";
import { showProgress } from "../lab/progress.ts";
import { cacheFolder } from "../lab/state.ts";
import { useCluster } from "./cluster.ts";

/**
 * Many connections from one client to three pods: spread over them, then all to one, as sessionAffinity is switched. It takes some
 * ten seconds and, unlike most others, no cluster DNS, which the clusters of these tests do not have.
 */
const spec =
  "[sig-network] LoadBalancers [Feature:LoadBalancer] should be able to switch session affinity for LoadBalancer service with " +
  "Cluster traffic policy [Slow] [LinuxOnly]";

describe("one of Kubernetes' own specs about load balancers, on both paths; npm run conformance runs the others", () => {
  const cluster = useCluster("nftables", "conformance");
  let program = "";

  before(async () => {
    program = await buildE2eProgram(showProgress(process.stderr));
  });

  after(() => endPodsPath(cluster().lab));

  async function assertPasses(path: string): Promise<void> {
    const folder = join(cacheFolder(), "conformance-logs", `e2e-${path}`);
    const { state, message } = await runSpec({ lab: cluster().lab, program, spec, folder });
    assert.equal(state, "passed", `${message}\n${logOf(folder, spec)}`);
  }

  test("it passes with Services as it creates them", () => assertPasses("nodeport"));

  test("it passes when an admission policy sends its Services straight to pods", async () => {
    await forcePodsPath(cluster().lab);
    await assertPasses("pods");
  });
});
