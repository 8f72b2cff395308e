import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

/** What is assigned and refused, row by row: allocate/allocate.test.ts. */
describe("requesting an address", () => {
  test("it is assigned, or refused with condition and event while nothing is shown", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("first", { loadBalancerIP: "192.0.2.15" });
    await cluster.expectShown("first", ["192.0.2.15"]);
    await cluster.expectCondition("first", "True AddressAssigned");
    await cluster.addService("web", { loadBalancerIP: "192.0.2.15" });
    await cluster.expectCondition("web", "False RequestedAddressTaken");
    assert.deepEqual(await cluster.shown("web"), []);
    await cluster.eventually(async () => assert.deepEqual(await cluster.eventsOf("web"), ["RequestedAddressTaken"]));
  });

  test("a change moves it; an impossible change keeps what it has and says why", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { spec: { loadBalancerIP: "192.0.2.15" } });
    await cluster.expectShown("web", ["192.0.2.15"]);
    await cluster.eventually(async () =>
      assert.deepEqual(
        (await cluster.virtualIps()).map(({ metadata }) => metadata.name),
        ["192.0.2.15"],
      ),
    );
    await cluster.changeService("web", { spec: { loadBalancerIP: "198.51.100.1" } });
    await cluster.expectCondition("web", "False RequestedAddressNotInPool");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.15"]);
    assert.ok((await cluster.eventsOf("web")).includes("RequestedAddressNotInPool"));
  });

  test("a reservation of the user is kept for its Service and never removed", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addVirtualIp("192.0.2.10", {
      address: "192.0.2.10",
      services: [{ namespace: "default", name: "web" }],
    });
    await cluster.addVirtualIp("192.0.2.11", { address: "192.0.2.11" });
    await cluster.start();
    await cluster.addService("other");
    await cluster.expectShown("other", ["192.0.2.12"]);
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.eventually(async () => {
      const { spec, status } = (await cluster.virtualIp("192.0.2.10")) ?? assert.fail("the reservation is gone");
      assert.deepEqual([spec.owners, status?.owners], [[], [{ node: "n1", interfaces: [] }]]);
    });
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
    await cluster.idle();
    assert.deepEqual(
      (await cluster.virtualIps()).map(({ metadata }) => metadata.name),
      ["192.0.2.10", "192.0.2.11", "192.0.2.12"],
    );
  });
});
