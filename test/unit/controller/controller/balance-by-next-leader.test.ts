import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();
const settings = { rebalanceAfterMs: 10_000 };
const services = ["a", "b", "c", "d"];

describe("addresses are balanced for a change of nodes that the leader before had no time to balance for", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
  });

  /** How many addresses each node announces first, by the owner lists. */
  async function spread(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const { spec } of await cluster.virtualIps()) {
      const first = spec.owners[0] ?? "";
      counts[first] = (counts[first] ?? 0) + 1;
    }
    return counts;
  }

  async function addServices(): Promise<void> {
    for (const service of services) await cluster.addService(service);
    for (const service of services) await cluster.expectCondition(service, "True AddressAssigned");
  }

  test("when a node was added shortly before the leadership ended", async () => {
    const first = await cluster.start(settings);
    await addServices();
    assert.deepEqual(await spread(), { n1: 4 });
    await cluster.addNode("n2");
    await cluster.pass(5_000);
    const { balancedNodes } = first.controller;
    assert.ok(balancedNodes !== undefined);
    await first.stop();
    const second = await cluster.start(settings, cluster.server, true, balancedNodes);
    assert.deepEqual(await spread(), { n1: 4 });
    await cluster.pass(45_000);
    assert.deepEqual(await spread(), { n1: 2, n2: 2 });
    assert.notEqual(second.controller.balancedNodes, balancedNodes);
  });

  test("when a node was lost and is back at the end of the leadership", async () => {
    await cluster.addNode("n2");
    const first = await cluster.start(settings);
    await addServices();
    assert.deepEqual(await spread(), { n1: 2, n2: 2 });
    await cluster.silenceNode("n2");
    await cluster.pass(1_000);
    await cluster.reviveNode("n2");
    await cluster.pass(1_000);
    assert.deepEqual(await spread(), { n1: 4 });
    const { balancedNodes } = first.controller;
    await first.stop();
    await cluster.start(settings, cluster.server, true, balancedNodes);
    await cluster.pass(45_000);
    assert.deepEqual(await spread(), { n1: 2, n2: 2 });
  });

  test("when a node was lost and is back while no controller led, so that another one announces its addresses", async () => {
    await cluster.addNode("n2");
    const first = await cluster.start(settings);
    await addServices();
    const { balancedNodes } = first.controller;
    await first.stop();
    for (const { metadata, spec } of await cluster.virtualIps()) {
      if (spec.owners[0] === "n2") await announce(metadata.name, "n1");
    }
    await cluster.start(settings, cluster.server, true, balancedNodes);
    await cluster.pass(1_000);
    assert.deepEqual(await spread(), { n1: 4 });
    await cluster.pass(45_000);
    assert.notDeepEqual(await spread(), { n1: 4 });
  });

  test("when a node was added while no controller led", async () => {
    const first = await cluster.start(settings);
    await addServices();
    const { balancedNodes } = first.controller;
    await first.stop();
    await cluster.addNode("n2");
    await cluster.start(settings, cluster.server, true, balancedNodes);
    await cluster.pass(45_000);
    assert.deepEqual(await spread(), { n1: 2, n2: 2 });
  });

  test("not when the nodes are the same, however uneven the addresses are", async () => {
    await cluster.addNode("n2");
    const first = await cluster.start(settings);
    await addServices();
    for (const { metadata, spec } of await cluster.virtualIps()) {
      const owner = spec.owners[0];
      if (owner === "n1") await cluster.deleteService(serviceOf(metadata.name));
    }
    await cluster.pass(45_000);
    assert.deepEqual(await spread(), { n2: 2 });
    const { balancedNodes } = first.controller;
    await first.stop();
    await cluster.start(settings, cluster.server, true, balancedNodes);
    await cluster.pass(45_000);
    assert.deepEqual(await spread(), { n2: 2 });
  });

  test("not when the version before left nothing, so that an upgrade moves no address", async () => {
    const first = await cluster.start(settings);
    await addServices();
    await first.stop();
    await cluster.addNode("n2");
    await cluster.start(settings);
    await cluster.pass(45_000);
    assert.deepEqual(await spread(), { n1: 4 });
  });

  /** The speaker of the node reports that it announces the address, as after a takeover. */
  async function announce(address: string, node: string): Promise<void> {
    const { generation = 0 } = (await cluster.virtualIp(address))?.metadata ?? {};
    const status = { node, observedGeneration: generation, cause: "PeerDead", since: "2026-01-01T00:00:00Z" };
    await cluster.patch(`${ownPath("virtualips", address)}/status`, { status });
  }

  /** Services get the addresses of the pool in the order in which they were created. */
  function serviceOf(address: string): string {
    return services[Number(address.split(".")[3]) - 10] ?? "";
  }
});
