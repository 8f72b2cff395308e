import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { ReleasedAddresses } from "../../../../controller/uninstall/service-release.ts";
import { uninstall } from "../../../../controller/uninstall/uninstall.ts";
import type { UninstallReport } from "../../../../controller/uninstall/uninstall-report.ts";
import { createPalette } from "../../../../src/cli/text/palette.ts";
import { renderUninstall } from "../../../../src/cli/text/uninstall.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import type { ApiRequest } from "../../../../src/kube/client.ts";
import { leasePath, ownPath, workloadPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";
import { expectNothingLeft } from "./expect-nothing-left.ts";

const namespace = "bellhop-system";
const controllerPath = workloadPath(namespace, "deployments", "bellhop-controller");
const speakersPath = workloadPath(namespace, "daemonsets", "bellhop-speaker");

describe("bellhop uninstall", () => {
  const cluster = useCluster();

  /** Two served Services, as a controller that has stopped leaves them, and one of somebody else. */
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.0/28"]);
    await cluster.addService("web");
    await cluster.addService("api");
    await cluster.addService("theirs", { loadBalancerClass: "example.com/other" });
    await cluster.setServiceStatus("theirs", { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } });
    await cluster.start();
    await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 2));
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.expectCondition("api", "True AddressAssigned");
    await cluster.stopAll();
    const identity = { metadata: { name: "n1" }, spec: { port: 7482 } };
    await cluster.server.request({ method: "POST", path: ownPath("speakeridentities"), body: identity });
    for (const path of [controllerPath, speakersPath]) {
      const [collection, name] = [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
      await cluster.server.request({ method: "POST", path: collection, body: { metadata: { name } } });
    }
  });

  async function run(act: boolean, addresses: ReleasedAddresses = "remove"): Promise<UninstallReport> {
    let report: UninstallReport | undefined;
    const { server: client, clock } = cluster;
    const running = uninstall({ client, namespace, act, addresses, clock }).then((found) => {
      report = found;
    });
    for (let turn = 0; report === undefined && turn < 400; turn++) await cluster.pass(500);
    await running;
    return report ?? assert.fail("it does not end");
  }

  /** The API server no longer knows our kinds. */
  function deleteDefinitions(): void {
    cluster.server.intercept = ({ path }: ApiRequest) => {
      if (path.startsWith(ownPath("virtualips").replace("/virtualips", ""))) {
        throw new ApiError(404, "NotFound", "the server could not find the requested resource");
      }
    };
  }

  const kinds = (report: UninstallReport): readonly string[] => report.lines.map(({ kind, name }) => `${kind} ${name}`);

  test("shows everything in its order, and changes nothing, without --yes", async () => {
    const before = cluster.server.writes.length;
    const report = await run(false);
    assert.equal(cluster.server.writes.length, before);
    assert.deepEqual(kinds(report), [
      "Deployment bellhop-system/bellhop-controller",
      "Service default/api",
      "Service default/web",
      "VirtualIP 192.0.2.1",
      "VirtualIP 192.0.2.2",
      "DaemonSet bellhop-system/bellhop-speaker",
      "Speaker n1",
      "SpeakerIdentity n1",
      "Secret bellhop-system/bellhop-heartbeat",
    ]);
    assert.equal(report.left, 9);
    assert.match(renderUninstall(report, createPalette(false)), /Nothing has been changed yet/);
  });

  test("with --keep-addresses, leaves the addresses to a load balancer that takes over, and releases the rest", async () => {
    const before = [await cluster.shown("web"), await cluster.shown("api")];
    const planned = renderUninstall(await run(false, "keep"), createPalette(false));
    assert.match(planned, /remove the finalizer, the condition; keep 192\.0\.2\.\d/);
    // A Service that another client writes in between is planned again, and keeps its address too.
    let written = false;
    cluster.server.intercept = async ({ method, path }: ApiRequest) => {
      if (written || method !== "PATCH" || !path.endsWith("/web/status")) return;
      written = true;
      await cluster.changeService("web", { metadata: { labels: { changed: "meanwhile" } } });
    };
    const report = await run(true, "keep");
    assert.deepEqual([written, report.left], [true, 0]);
    assert.deepEqual([await cluster.shown("web"), await cluster.shown("api")], before);
    assert.deepEqual(await cluster.virtualIps(), []);
    for (const name of ["web", "api"]) {
      const service = await cluster.service(name);
      assert.deepEqual([service?.metadata?.finalizers ?? [], service?.status?.conditions ?? []], [[], []], name);
    }
    assert.deepEqual((await run(false, "keep")).lines, []);
  });

  test("releases everything, so that Services can be deleted without a controller", async () => {
    const report = await run(true);
    assert.deepEqual(
      report.lines.filter(({ result }) => result !== "done"),
      [],
    );
    assert.equal(report.left, 0);
    await expectNothingLeft(cluster, ["theirs"]);
    assert.deepEqual(await cluster.shown("theirs"), ["203.0.113.1"]);
    await cluster.deleteService("web");
    assert.equal(await cluster.service("web"), undefined);
  });

  test("the second time there is nothing to do", async () => {
    await run(true);
    const before = cluster.server.writes.length;
    const report = await run(true);
    assert.deepEqual([report.lines, report.left], [[], 0]);
    assert.equal(cluster.server.writes.length, before);
  });

  test("works off conditions when the kinds are gone", async () => {
    deleteDefinitions();
    const report = await run(true);
    assert.deepEqual(report.missingKinds, ["VirtualIP", "Speaker", "SpeakerIdentity"]);
    assert.equal(report.left, 0);
    await expectNothingLeft(cluster, ["theirs"]);
    assert.match(renderUninstall(report, createPalette(false)), /There is no kind VirtualIP/);
  });

  test("works when the controller and the speakers are gone", async () => {
    for (const path of [controllerPath, speakersPath]) await cluster.server.request({ method: "DELETE", path });
    const report = await run(true);
    assert.equal(report.left, 0);
    await expectNothingLeft(cluster, ["theirs"]);
  });

  test("a Service that was deleted while it had an address goes", async () => {
    await cluster.deleteService("web");
    assert.notEqual(await cluster.service("web"), undefined);
    await run(true);
    assert.equal(await cluster.service("web"), undefined);
  });

  test("touches nothing while another controller leads, and names it", async () => {
    const body = {
      metadata: { name: "bellhop-controller" },
      spec: { holderIdentity: "elsewhere", leaseDurationSeconds: 600, renewTime: new Date(cluster.clock.wallMs()) },
    };
    await cluster.server.request({ method: "POST", path: leasePath(namespace), body });
    const report = await run(true);
    assert.equal(report.lines[0]?.result, "failed");
    assert.match(report.lines[0]?.why ?? "", /elsewhere/);
    assert.ok(report.lines.slice(1).every(({ result }) => result === "not tried"));
    assert.equal((await cluster.virtualIps()).length, 2);
    assert.deepEqual((await cluster.shown("web")).length, 1);
  });

  test("without the right to delete the Deployment it touches nothing", async () => {
    cluster.server.intercept = ({ path }: ApiRequest) => {
      if (path === controllerPath || path === speakersPath)
        throw new ApiError(403, "Forbidden", "deployments is forbidden");
    };
    const report = await run(true);
    assert.deepEqual([report.lines[0]?.result, report.lines[1]?.result], ["failed", "not tried"]);
    assert.match(renderUninstall(report, createPalette(false)), /deployments is forbidden/);
    assert.equal((await cluster.shown("web")).length, 1);
  });

  test("a Service that another client writes in between is planned again", async () => {
    let written = false;
    cluster.server.intercept = async ({ method, path }: ApiRequest) => {
      if (written || method !== "PATCH" || !path.endsWith("/web/status")) return;
      written = true;
      await cluster.changeService("web", { metadata: { labels: { changed: "meanwhile" } } });
    };
    const report = await run(true);
    assert.equal(report.left, 0);
    assert.equal((await cluster.service("web"))?.metadata?.labels?.changed, "meanwhile");
    await expectNothingLeft(cluster, ["theirs"]);
  });

  test("continues where it was interrupted", async () => {
    let patches = 0;
    cluster.server.intercept = ({ method, path }: ApiRequest) => {
      if (method === "PATCH" && path.endsWith("/status") && ++patches === 2)
        throw new ApiError(500, "", "etcd is away");
    };
    const first = await run(true);
    assert.equal(first.lines.filter(({ result }) => result === "failed").length, 1);
    assert.equal((await cluster.virtualIps()).length, 2, "claims stay while a Service may still show their address");
    assert.match(renderUninstall(first, createPalette(false)), /Start the command again/);
    cluster.server.intercept = undefined;
    assert.equal((await run(true)).left, 0);
    await expectNothingLeft(cluster, ["theirs"]);
  });

  test("says so when something writes back what it has released", async () => {
    cluster.server.loseAnswer = undefined;
    let restored = false;
    cluster.server.intercept = async ({ method, path }: ApiRequest) => {
      if (restored || method !== "DELETE" || path !== speakersPath) return;
      restored = true;
      await cluster.addVirtualIp("192.0.2.9", { address: "192.0.2.9" });
      await cluster.server.request({
        method: "PATCH",
        path: ownPath("virtualips", "192.0.2.9"),
        body: { metadata: { labels: { "app.kubernetes.io/managed-by": "bellhop-controller" } } },
        contentType: "application/merge-patch+json",
      });
    };
    const report = await run(true);
    assert.equal(report.left, 1);
    assert.match(renderUninstall(report, createPalette(false)), /something still runs and writes back/);
  });
});
