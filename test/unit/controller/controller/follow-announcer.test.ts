import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();
const address = "192.0.2.10";

describe("an owner list that follows the announcer", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
    await cluster.addNode("n3");
  });

  async function owners(): Promise<readonly string[]> {
    return (await cluster.virtualIp(address))?.spec.owners ?? [];
  }

  /** As the speaker of the node would. */
  async function report(node: string, generation?: number): Promise<void> {
    const object = await cluster.virtualIp(address);
    const observedGeneration = generation ?? object?.metadata.generation;
    const body = { status: { node, since: "2026-01-01T00:00:00Z", cause: "PeerDead", observedGeneration } };
    const path = `${ownPath("virtualips", address)}/status`;
    await cluster.patch(path, body);
  }

  async function serve(): Promise<readonly string[]> {
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.idle();
    return owners();
  }

  test("is written once where the first owner announces, by two controllers that lead, too", async () => {
    await cluster.start();
    const [first = ""] = await serve();
    await report(first);
    await cluster.pass(20_000);
    await cluster.idle();
    const own = cluster.server.writes.filter(({ path }) => path.includes("/virtualips"));
    // The creation, that of the other controller, which is refused, and the report.
    assert.deepEqual(own.map(({ method }) => method).sort(), ["PATCH", "POST", "POST"]);
  });

  test("begins with the node that took over, records no second event, and stays when the first node is back", async () => {
    const [first = "", next = "", last = ""] = await serve();
    await report(first);
    await cluster.idle();
    const events = await cluster.eventsOf(address);
    await report(next);
    await cluster.eventually(async () => assert.deepEqual(await owners(), [next, first, last]));
    await report(next);
    await cluster.idle();
    assert.deepEqual(await owners(), [next, first, last]);
    assert.deepEqual(await cluster.eventsOf(address), events);
  });

  test("is not changed by a report about an earlier list, or of a node that is not an owner", async () => {
    const before = await serve();
    const generation = (await cluster.virtualIp(address))?.metadata.generation ?? 0;
    await report(before[1] ?? "", generation - 1);
    await cluster.idle();
    await report("n9");
    await cluster.idle();
    assert.deepEqual(await owners(), before);
  });

  test("is followed again by a controller that starts", async () => {
    const [first = "", next = "", last = ""] = await serve();
    await cluster.stopAll();
    await report(next);
    await cluster.start();
    await cluster.eventually(async () => assert.deepEqual(await owners(), [next, first, last]));
  });

  test("does not begin with a node that may not announce the address any longer", async () => {
    const [first = "", next = "", last = ""] = await serve();
    await cluster.silenceNode(next);
    await cluster.eventually(async () => assert.deepEqual(await owners(), [first, last]));
    await report(next);
    await cluster.idle();
    assert.deepEqual(await owners(), [first, last]);
  });
});
