import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("pools", () => {
  test("the younger of two that overlap is rejected with a condition; the older stays in use", async () => {
    await cluster.start();
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addPool("slip", ["192.0.2.20-192.0.2.30"]);
    await cluster.eventually(async () => {
      assert.equal((await cluster.pool("slip")).status?.conditions?.[0]?.reason, "PoolOverlaps");
      assert.equal((await cluster.pool("lan")).status?.conditions?.[0]?.reason, "InUse");
    });
    assert.deepEqual(await cluster.eventsOf("slip"), ["PoolOverlaps"]);
    await cluster.changePool("slip", { addresses: ["192.0.2.21-192.0.2.30"] });
    await cluster.eventually(async () =>
      assert.equal((await cluster.pool("slip")).status?.conditions?.[0]?.reason, "InUse"),
    );
  });

  test("one that does not follow its schema is rejected with a condition", async () => {
    await cluster.start();
    await cluster.addPool("odd", [], { addresses: 7 });
    await cluster.eventually(async () =>
      assert.equal((await cluster.pool("odd")).status?.conditions?.[0]?.reason, "PoolSchemaInvalid"),
    );
  });

  test("counts are exact, beyond any number", async () => {
    await cluster.start();
    await cluster.addPool("lan", ["192.0.2.0/24", "2001:db8::/64"], { avoidBuggyIPs: true });
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" });
    await cluster.expectShown("web", ["192.0.2.1", "2001:db8::1"]);
    await cluster.eventually(async () => {
      const { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 } = (await cluster.pool("lan")).status ?? {};
      assert.deepEqual(
        [assignedIPv4, availableIPv4, assignedIPv6, availableIPv6],
        // Without .0 and .255, the node's own .250, the subnet-router anycast address and the node's own ::ff.
        ["1", "252", "1", "18446744073709551613"],
      );
    });
  });

  test("a pool that is deleted takes no address away", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.server.request({ method: "DELETE", path: "/apis/bellhop.dev/v1beta1/ipaddresspools/lan" });
    await cluster.addService("next");
    await cluster.expectCondition("next", "False NoPool");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    assert.equal(await cluster.condition("web"), "True AddressAssigned");
  });
});
