import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ingressManager } from "../../../../controller/services/status-conflicts.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10"]);
});

const theirs = { loadBalancer: { ingress: [{ ip: "172.30.0.11", ipMode: "VIP" }] } };
const fieldsV1 = { "f:status": { "f:loadBalancer": { "f:ingress": {} } } };
const managedFields = [{ manager: "k3s", operation: "Update", subresource: "status", fieldsV1 }];

async function theyWrite(): Promise<void> {
  await cluster.setServiceStatus("web", theirs);
  await cluster.expectShown("web", ["192.0.2.10"]);
}

describe("a Service whose status another client writes, too", () => {
  test("names the client within a minute, in its condition and in an event, and recovers when that stops", async () => {
    await cluster.start();
    await cluster.addService("web", {}, { managedFields });
    await cluster.expectShown("web", ["192.0.2.10"]);
    await theyWrite();
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
    await cluster.pass(20_000);
    await theyWrite();
    await cluster.expectCondition("web", "False StatusOverwritten");
    await cluster.idle();
    assert.match((await cluster.eventNotesOf("web")).join(), /k3s replaces status\.loadBalancer\.ingress/);
    await theyWrite();
    assert.equal(await cluster.condition("web"), "False StatusOverwritten");
    await cluster.pass(21 * 60_000);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });

  test("is read once, and not written more often for it", async () => {
    await cluster.start();
    await cluster.addService("web", {}, { managedFields });
    await cluster.expectShown("web", ["192.0.2.10"]);
    for (let round = 0; round < 4; round++) await theyWrite();
    const reads = cluster.server.requests.filter(
      ({ method, path }) => method === "GET" && path.endsWith("/services/web"),
    );
    assert.equal(reads.length, 1);
    const patches = cluster.server.writes.filter(({ path }) => path.endsWith("/services/web/status"));
    assert.equal(patches.length, 1 + 2 * 4, "one of ours for each of theirs");
  });

  test("stays as it is when addresses move for our own reasons", async () => {
    await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.19"] });
    await cluster.start();
    await cluster.addService("web");
    for (const last of [11, 12, 13, 11, 12]) {
      await cluster.changeService("web", { spec: { loadBalancerIP: `192.0.2.${last}` } });
      await cluster.expectShown("web", [`192.0.2.${last}`]);
    }
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });
});

test("the client that wrote the addresses last is named", () => {
  const entry = (manager: string, fields: object, time: string) => ({
    manager,
    fieldsV1: fields,
    time: new Date(time),
  });
  const other = { "f:status": { "f:conditions": {} } };
  assert.equal(ingressManager([]), undefined);
  assert.equal(ingressManager([entry("bellhop", other, "2026-01-03T00:00:00Z")]), undefined);
  const writers = [
    entry("old", fieldsV1, "2026-01-01T00:00:00Z"),
    entry("new", fieldsV1, "2026-01-02T00:00:00Z"),
    entry("bellhop", other, "2026-01-03T00:00:00Z"),
  ];
  assert.equal(ingressManager(writers), "new");
});
