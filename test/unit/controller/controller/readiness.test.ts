import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("nodes that cannot serve", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.idle();
  });

  const ownersNow = async () => (await cluster.virtualIps())[0]?.spec.owners ?? [];

  async function report(node: string, families: readonly string[], refusedServices: readonly string[]): Promise<void> {
    await cluster.patch(`${ownPath("speakers", node)}/status`, {
      status: { bootNonce: "b", readiness: { bootNonce: "b", families, refusedServices } },
    });
  }

  test("lose their addresses to nodes that can", async () => {
    const [first = "", second = ""] = await ownersNow();
    await report(first, ["IPv6"], []);
    await cluster.eventually(async () => assert.deepEqual(await ownersNow(), [second]));
    await report(first, ["IPv4", "IPv6"], []);
    await cluster.eventually(async () => assert.deepEqual(await ownersNow(), [second, first]));
    await report(first, [], []);
    await report(second, [], []);
    await cluster.idle();
    assert.equal((await ownersNow()).length, 2, "where no node can, they stay");
  });

  test("because their kernel refuses the rules of a Service lose its address, and the Service has one event", async () => {
    const [first = "", second = ""] = await ownersNow();
    const events = async () => (await cluster.eventsOf("web")).filter((reason) => reason === "RulesRefused").length;
    await report(first, ["IPv4", "IPv6"], ["default/web"]);
    await cluster.eventually(async () => assert.deepEqual(await ownersNow(), [second]));
    await report(second, ["IPv4", "IPv6"], ["default/web", "default/gone"]);
    await cluster.idle();
    await report(second, ["IPv4"], ["default/web"]);
    await cluster.idle();
    assert.equal(await events(), 1);
    for (const node of [first, second]) await report(node, ["IPv4", "IPv6"], []);
    await cluster.idle();
    await report(second, ["IPv4", "IPv6"], ["default/web"]);
    await cluster.idle();
    assert.equal(await events(), 2, "again after it was over");
  });
});
