import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { showProgress } from "../lab/progress.ts";
import { waitFor } from "../lab/wait.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { installProduct } from "../product/install.ts";
import type { Api } from "./api.ts";
import { lanPool, useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { createService, startWeb } from "./workload.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const finalizer = "service.kubernetes.io/load-balancer-cleanup";

/** What deploy/README.md says under "Remove", on a cluster whose Services are served. */
describe("uninstalling", () => {
  const cluster = useCluster("nftables", "uninstall");
  /** A namespace that is deleted as a whole. */
  const other = "uninstall-other";

  before(() => startWeb(cluster().api));

  async function kubectl(...argv: readonly string[]): Promise<string> {
    return cluster().lab.kubectl([...argv], undefined, 180_000);
  }

  /** Installed, with a pool, and a Service in each namespace whose addresses are answered. */
  async function serve(): Promise<void> {
    const { lab, api } = cluster();
    await installProduct(lab, showProgress(process.stderr));
    await api.apply(lanPool);
    await otherApi().createNamespace();
    await createService(api, "served");
    await createService(otherApi(), "served");
    for (const address of await api.waitForAddresses("served")) await waitForAnswer(api, address);
    await otherApi().waitForAddresses("served");
    const { metadata } = await api.get("v1", "Service", "served");
    assert.deepEqual(metadata.finalizers, [finalizer]);
  }

  function otherApi(): Api {
    const { api } = cluster();
    return api.inNamespace(other);
  }

  /** The commands between "Name your image" and "Then remove both". */
  async function release(): Promise<string> {
    const uninstall = ["-n", "bellhop-uninstall"];
    await kubectl("apply", "-k", join(deploy, "uninstall"));
    await kubectl(...uninstall, "wait", "--for=condition=Complete", "job/bellhop-uninstall", "--timeout=120s");
    await kubectl(...uninstall, "rollout", "status", "daemonset/bellhop-cleanup", "--timeout=60s");
    return kubectl(...uninstall, "logs", "job/bellhop-uninstall");
  }

  async function expectServicesCanGo(): Promise<void> {
    await kubectl("-n", cluster().api.namespace, "delete", "service", "served", "--timeout=20s");
    await kubectl("delete", "namespace", other, "--timeout=60s");
  }

  async function expectNothingLeft(): Promise<void> {
    const { lab } = cluster();
    for (const node of lab.nodes) {
      const { stdout } = await lab.exec(node, ["nft", "list", "tables"]);
      assert.doesNotMatch(stdout, /bellhop/, node);
    }
    const definitions = await kubectl("get", "customresourcedefinitions", "-o", "name");
    assert.doesNotMatch(definitions, /bellhop/);
    assert.doesNotMatch(await kubectl("get", "leases", "--all-namespaces", "-o", "name"), /bellhop|speaker-/);
    assert.doesNotMatch(await kubectl("get", "namespaces", "-o", "name"), /bellhop/);
    assert.doesNotMatch(await kubectl("get", "clusterroles,clusterrolebindings", "-o", "name"), /bellhop/);
    const services = await kubectl("get", "services", "--all-namespaces", "-o", "json");
    assert.doesNotMatch(services, /load-balancer-cleanup|bellhop\.dev\/AddressReady/);
  }

  test("the preview shows what would be released, and changes nothing", async () => {
    await serve();
    const { lab, api } = cluster();
    const argv = bellhopInPod(["uninstall"]);
    const shown = await lab.exec("control", ["kubectl", ...argv]);
    assert.equal(shown.code, 1, shown.stderr);
    for (const line of [/Deployment +bellhop-system\/bellhop-controller/, /Service +uninstall\/served/, /VirtualIP/]) {
      assert.match(shown.stdout, line);
    }
    assert.match(shown.stdout, /Nothing has been changed yet/);
    const act = await lab.exec("control", ["kubectl", ...argv, "--yes"]);
    assert.equal(act.code, 1, "the account of the controller may not stop the controller");
    assert.match(act.stdout, /forbidden/);
    assert.equal((await api.waitForAddresses("served")).length, 2);
  });

  test("as the document says: everything is released, Services and namespaces go, nothing is left", async () => {
    const { api } = cluster();
    const log = await release();
    assert.match(log, /Nothing of Bellhop is left on Services/);
    const { status, metadata } = await api.get("v1", "Service", "served");
    assert.deepEqual([status.loadBalancer, metadata.finalizers ?? []], [{}, []]);
    await kubectl("delete", "-k", join(deploy, "uninstall"), "--timeout=90s");
    await kubectl("delete", "-k", join(deploy, "base"), "--ignore-not-found", "--timeout=90s");
    await expectServicesCanGo();
    await expectNothingLeft();
  });

  test("removed by kubectl delete -k alone, the one command that is missing releases Services", async () => {
    await serve();
    const { api } = cluster();
    await kubectl("delete", "-k", join(deploy, "base"), "--timeout=90s");
    await api.delete("v1", "Service", "served");
    assert.deepEqual((await api.get("v1", "Service", "served")).metadata.finalizers, [finalizer]);

    await release();
    await waitFor({ what: "the deleted Service to go", timeoutMs: 10_000 }, async () =>
      (await api.find("v1", "Service", "served")) === undefined ? true : undefined,
    );
    await kubectl("delete", "namespace", other, "--timeout=60s");
    await kubectl("delete", "-k", join(deploy, "uninstall"), "--timeout=90s");
    await expectNothingLeft();
  });
});
