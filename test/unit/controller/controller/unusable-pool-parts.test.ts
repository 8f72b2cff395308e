import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { expectPool } from "../fake-cluster/expect-pool.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

async function expectCounts(name: string, assigned: string, available: string): Promise<void> {
  await cluster.eventually(async () => {
    const { status } = await cluster.pool(name);
    assert.deepEqual([status?.assignedIPv4, status?.availableIPv4], [assigned, available]);
  });
}

describe("exclude", () => {
  test("is never assigned, also on request, and does not count as available", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.13"], { exclude: ["192.0.2.10-192.0.2.11"] });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.12"]);
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.10" });
    await cluster.expectCondition("asks", "False RequestedAddressNotInPool");
    const message = (await cluster.service("asks"))?.status?.conditions?.[0]?.message ?? "";
    assert.match(message, /Pool lan excludes it/);
    await expectCounts("lan", "1", "1");
    await cluster.changePool("lan", { exclude: [] });
    await cluster.expectShown("asks", ["192.0.2.10"]);
  });
});

describe("draining", () => {
  test("keeps what it gave and gives nothing new, by any way of asking, until it is active again", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("old");
    await cluster.expectShown("old", ["192.0.2.10"]);
    await cluster.changePool("lan", { state: "Draining" });
    await expectPool(cluster, "lan", "Ready", "True Draining");
    await expectCounts("lan", "1", "0");
    await cluster.addService("any");
    await cluster.addService("named", {}, { annotations: { "bellhop.dev/pool": "lan" } });
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.15" });
    for (const name of ["any", "named", "asks"]) await cluster.expectCondition(name, "False PoolDraining");
    assert.deepEqual(await cluster.shown("old"), ["192.0.2.10"]);
    await cluster.addPool("other", ["192.0.2.100"]);
    await cluster.expectShown("any", ["192.0.2.100"]);
    await cluster.changePool("lan", { state: "Active" });
    await cluster.expectShown("named", ["192.0.2.11"]);
    await cluster.expectShown("asks", ["192.0.2.15"]);
    await expectPool(cluster, "lan", "Ready", "True InUse");
  });
});

describe("networks of the cluster", () => {
  const serviceCidr = { metadata: { name: "more" }, spec: { cidrs: ["192.0.2.0/27"] } };
  const path = "/apis/networking.k8s.io/v1/servicecidrs";

  test("a Service CIDR that comes sets the pool aside with an event, takes nothing away, and going brings it back", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.server.request({ method: "POST", path, body: serviceCidr });
    await expectPool(cluster, "lan", "Ready", "False PoolOverlapsServiceNetwork");
    await cluster.eventually(async () => {
      assert.deepEqual(await cluster.eventsOf("lan"), ["PoolOverlapsServiceNetwork", "AddressOutsidePool"]);
    });
    await cluster.addService("late");
    await cluster.expectCondition("late", "False NoPool");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await cluster.server.request({ method: "DELETE", path: `${path}/more` });
    await cluster.expectShown("late", ["192.0.2.11"]);
    await expectPool(cluster, "lan", "Ready", "True InUse");
  });

  test("a node whose pods live in the pool's range sets it aside as long as it is there", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await expectPool(cluster, "lan", "Ready", "True InUse");
    const body = { metadata: { name: "n9" }, spec: { podCIDRs: ["192.0.2.16/28"] } };
    await cluster.server.request({ method: "POST", path: "/api/v1/nodes", body });
    await expectPool(cluster, "lan", "Ready", "False PoolOverlapsPodNetwork");
    await cluster.server.request({ method: "DELETE", path: "/api/v1/nodes/n9" });
    await expectPool(cluster, "lan", "Ready", "True InUse");
  });

  test("an API server that has no ServiceCIDRs has none", async () => {
    cluster.server.intercept = ({ path: asked }) => {
      if (asked === path) throw new ApiError(404, "NotFound", "the server could not find the requested resource");
    };
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.idle();
  });
});
