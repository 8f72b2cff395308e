import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { Cluster } from "../fake-cluster/cluster.ts";
import { LateClient } from "../fake-cluster/late-client.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

/** Another controller leads too, and what it does is seen before the Services that it does it for. */
describe("a controller that leads and hears of Services late", () => {
  let late: LateClient;

  afterEach(() => late.catchUp());
  const cluster = useCluster(async (cluster) => {
    late = new LateClient(cluster.server, "/api/v1/services");
    await cluster.addNode("n1");
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20", "2001:db8::10-2001:db8::20"]);
    await cluster.start();
    await cluster.start({}, late);
  });

  async function uids(): Promise<readonly string[]> {
    return (await cluster.virtualIps()).map(({ metadata }) => metadata.uid);
  }

  /** Of the claims that anybody has asked to delete. */
  function deletedUids(): readonly string[] {
    const deletions = cluster.server.requests.filter(
      ({ method, path }) => method === "DELETE" && path.includes("virtualips"),
    );
    return deletions.map(({ body }) => (body as { preconditions: { uid: string } }).preconditions.uid);
  }

  test("does not release a claim that names a Service it has not seen", async () => {
    late.holdBack();
    await cluster.addService("web");
    await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
    await cluster.idle();
    assert.deepEqual(deletedUids(), []);
  });

  test("does not release a claim for the next Service of a name", async () => {
    await cluster.addService("web");
    await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
    const old = await uids();
    late.holdBack();
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
    await cluster.addService("web");
    await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
    await cluster.idle();
    assert.deepEqual([...new Set(deletedUids())], old);
  });

  test("does not release the claim of a Service that has become a load balancer", async () => {
    // With external addresses a Service of any type is known to a controller.
    await cluster.addService("web", { type: "ClusterIP", externalIPs: ["198.51.100.1"] });
    await cluster.idle();
    late.holdBack();
    await cluster.changeService("web", { spec: { type: "LoadBalancer" } });
    await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
    await cluster.idle();
    assert.deepEqual(deletedUids(), []);
  });

  test("does not release a claim for a family that the Service has only now", async () => {
    await cluster.addService("web");
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 1));
    await cluster.idle();
    late.holdBack();
    await cluster.changeService("web", {
      spec: { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
    });
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 2));
    await cluster.idle();
    assert.deepEqual(deletedUids(), []);
  });

  test("still releases what a Service no longer has", async () => {
    await cluster.addService("web");
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 1));
    late.holdBack();
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.deepEqual(await uids(), []));
    late.catchUp();
    await cluster.idle();
    assert.deepEqual(await cluster.services(), []);
  });
});

test("two leaders, one of which has not seen a pool, do not write against each other without end", async () => {
  const cluster = new Cluster();
  const late = new LateClient(cluster.server, ownPath("ipaddresspools"));
  await cluster.addNode("n1");
  await cluster.start();
  await cluster.start({}, late);
  late.holdBack();
  await cluster.addPool("lan", ["192.0.2.10"]);
  await cluster.addService("web");
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]));
  await cluster.idle();
  const writes = cluster.server.writes.filter(({ path }) => path.includes("virtualips"));
  late.catchUp();
  await cluster.stopAll();
  // Six each are free within ten seconds, and then the waits double.
  assert.ok(writes.length < 40, `${writes.length} writes`);
});
