import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("asking for an address", () => {
  const cases = [
    {
      name: "gets it",
      spec: { loadBalancerIP: "192.0.2.15" },
      shown: ["192.0.2.15"],
      condition: "True AddressAssigned",
    },
    { name: "garbage", spec: { loadBalancerIP: "not-an-ip" }, condition: "False RequestedAddressInvalid" },
    { name: "leading zero", spec: { loadBalancerIP: "192.0.2.015" }, condition: "False RequestedAddressInvalid" },
    { name: "wrong family", spec: { loadBalancerIP: "2001:db8::10" }, condition: "False RequestedAddressWrongFamily" },
    { name: "in no pool", spec: { loadBalancerIP: "198.51.100.1" }, condition: "False RequestedAddressNotInPool" },
    { name: "taken", spec: { loadBalancerIP: "192.0.2.10" }, condition: "False RequestedAddressTaken" },
    { name: "unknown pool", annotation: "nowhere", condition: "False PoolNotFound" },
    { name: "by pool", annotation: "special", shown: ["192.0.2.100"], condition: "True AddressAssigned" },
    { name: "closed pool", annotation: "closed", condition: "False PoolForbidsService" },
    { name: "broken pool", annotation: "broken", condition: "False PoolUnusable" },
  ];
  for (const { name, spec = {}, annotation, shown = [], condition } of cases) {
    test(name, async () => {
      await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
      await cluster.addPool("special", ["192.0.2.100"], { autoAssign: false });
      await cluster.addPool("closed", ["192.0.2.101"], { serviceAllocation: { namespaces: ["elsewhere"] } });
      await cluster.addPool("broken", ["192.0.2.1/24"]);
      await cluster.start();
      await cluster.addService("first");
      await cluster.expectShown("first", ["192.0.2.10"]);
      const annotations = annotation === undefined ? {} : { "bellhop.dev/pool": annotation };
      await cluster.addService("web", spec, { annotations });
      await cluster.expectCondition("web", condition);
      assert.deepEqual(await cluster.shown("web"), shown);
    });
  }

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
    await cluster.eventually(async () => assert.deepEqual((await cluster.virtualIps())[0]?.spec.owners, ["n1"]));
    await cluster.deleteService("web");
    await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
    await cluster.idle();
    assert.deepEqual(
      (await cluster.virtualIps()).map(({ metadata }) => metadata.name),
      ["192.0.2.10", "192.0.2.11", "192.0.2.12"],
    );
  });
});
