import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BellhopError } from "../../../../src/error/error.ts";
import { ingressManager } from "../../../../src/model/ingress-manager.ts";
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

  const ours = { ip: "192.0.2.10", ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] };
  const forms = [
    { name: "the same address without the ports", ingress: [{ ip: "192.0.2.10", ipMode: "VIP" }] },
    { name: "one more address", ingress: [ours, { ip: "203.0.113.1", ipMode: "VIP" }] },
    { name: "the same address with a host name", ingress: [ours, { hostname: "web.example.com" }] },
    { name: "no address", ingress: null },
  ];
  for (const { name, ingress } of forms) {
    test(`names a client that writes ${name}`, async () => {
      await cluster.start();
      await cluster.addService("web", {}, { managedFields });
      await cluster.expectShown("web", ["192.0.2.10"]);
      for (let round = 0; round < 2; round++) {
        await cluster.setServiceStatus("web", { loadBalancer: { ingress } });
        await cluster.idle();
        const shown = (await cluster.service("web"))?.status?.loadBalancer?.ingress;
        assert.deepEqual(shown, [ours], "ours again");
      }
      assert.equal(await cluster.condition("web"), "False StatusOverwritten");
    });
  }

  test("is not taken for one when our own write has to be tried again", async () => {
    await cluster.start();
    await cluster.addService("web", {}, { managedFields });
    await cluster.expectShown("web", ["192.0.2.10"]);
    let failures = 0;
    cluster.server.intercept = (request) => {
      if (request.method !== "PATCH" || !request.path.endsWith("/services/web/status") || failures++ >= 3) return;
      if (JSON.stringify(request.body).includes("172.30.0.11")) return;
      throw new BellhopError("ApiUnreachable", "lost");
    };
    await cluster.setServiceStatus("web", theirs);
    await cluster.pass(10_000);
    assert.ok(failures > 3);
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });

  test("stays as it is when ports change and change back", async () => {
    await cluster.start();
    await cluster.addService("web", {}, { managedFields });
    await cluster.expectShown("web", ["192.0.2.10"]);
    for (const port of [81, 80, 81, 80]) {
      await cluster.changeService("web", { spec: { ports: [{ port, protocol: "TCP", nodePort: 30080 }] } });
      await cluster.idle();
    }
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
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
