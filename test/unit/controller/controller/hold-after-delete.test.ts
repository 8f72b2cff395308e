import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { holders, port, share } from "../fake-cluster/sharing-services.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

/** Gives a Service the address, deletes it, and waits until the address is held. */
async function holdOf(name: string, address: string): Promise<void> {
  await cluster.addService(name);
  await cluster.expectShown(name, [address]);
  await cluster.deleteService(name);
  await cluster.eventually(async () => assert.equal(await cluster.service(name), undefined));
  await cluster.eventually(async () => assert.ok((await cluster.virtualIp(address))?.spec.heldUntil !== undefined));
}

async function setHeldUntil(address: string, heldUntil: string): Promise<void> {
  const path = ownPath("virtualips", address);
  const contentType = "application/merge-patch+json";
  await cluster.server.request({ method: "PATCH", path, body: { spec: { heldUntil } }, contentType });
}

describe("an address that is held after its Service was deleted", () => {
  beforeEach(() => cluster.addPool("lan", ["192.0.2.10-192.0.2.12"], { holdAfterDelete: "10m" }));

  test("is not announced, not assigned to another Service, and returned to a Service of the name", async () => {
    await cluster.start();
    await holdOf("web", "192.0.2.10");
    const held = await cluster.virtualIp("192.0.2.10");
    assert.deepEqual(held?.spec.owners, []);
    assert.deepEqual(held?.spec.services, [{ namespace: "default", name: "web" }]);
    await cluster.eventually(async () => {
      const { status } = await cluster.pool("lan");
      assert.deepEqual([status?.assignedIPv4, status?.availableIPv4], ["0", "2"]);
    });

    await cluster.addService("other");
    await cluster.expectShown("other", ["192.0.2.11"]);
    const annotations = { "bellhop.dev/share": "key" };
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.10" }, { annotations });
    await cluster.expectCondition("asks", "False RequestedAddressTaken");
    const conditions = (await cluster.service("asks"))?.status?.conditions ?? [];
    assert.match(conditions[0]?.message ?? "", /held until .* for a new Service default\/web/);

    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.expectCondition("web", "True AddressAssigned");
    const taken = await cluster.virtualIp("192.0.2.10");
    assert.equal(taken?.metadata.uid, held?.metadata.uid);
    assert.equal(taken?.spec.heldUntil, undefined);
    assert.deepEqual(taken?.spec.owners, ["n1"]);
    assert.equal(taken?.spec.services[0]?.uid, (await cluster.service("web"))?.metadata?.uid);
  });

  test("is not assigned to a Service of the name that requests something else", async () => {
    await cluster.start();
    await holdOf("web", "192.0.2.10");
    await cluster.addService("web", { loadBalancerIP: "garbage" });
    await cluster.expectCondition("web", "False RequestedAddressInvalid");
    assert.deepEqual(await cluster.shown("web"), []);
    await cluster.idle();
    assert.ok((await cluster.virtualIp("192.0.2.10"))?.spec.heldUntil !== undefined, "an invalid request ends no hold");
    await cluster.changeService("web", { spec: { loadBalancerIP: "192.0.2.12" } });
    await cluster.expectShown("web", ["192.0.2.12"]);
    await cluster.eventually(async () => assert.equal(await cluster.virtualIp("192.0.2.10"), undefined));
  });

  test("stays held over a restart, and goes at the start if it expired meanwhile", async () => {
    const first = await cluster.start();
    await holdOf("a", "192.0.2.10");
    await cluster.addService("b");
    await cluster.expectShown("b", ["192.0.2.11"]);
    await cluster.deleteService("b");
    await cluster.eventually(async () =>
      assert.ok((await cluster.virtualIp("192.0.2.11"))?.spec.heldUntil !== undefined),
    );
    await first.stop();
    await setHeldUntil("192.0.2.11", "2020-01-01T00:00:00Z");
    await cluster.start();
    await cluster.eventually(async () => assert.equal(await cluster.virtualIp("192.0.2.11"), undefined));
    assert.ok((await cluster.virtualIp("192.0.2.10")) !== undefined);
    await cluster.addService("a");
    await cluster.expectShown("a", ["192.0.2.10"]);
  });

  test("is released when its time is over, and a waiting Service gets it", async () => {
    await cluster.changePool("lan", { addresses: ["192.0.2.10"] });
    await cluster.start();
    await holdOf("web", "192.0.2.10");
    await cluster.addService("waits");
    await cluster.expectCondition("waits", "False PoolExhausted");
    await setHeldUntil("192.0.2.10", "2020-01-01T00:00:00Z");
    await cluster.expectShown("waits", ["192.0.2.10"]);
  });

  test("is held too where the Service left type LoadBalancer, and where no controller saw it go", async () => {
    const first = await cluster.start();
    await cluster.addService("low");
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.changeService("web", { spec: { type: "ClusterIP" } });
    await cluster.eventually(async () =>
      assert.ok((await cluster.virtualIp("192.0.2.11"))?.spec.heldUntil !== undefined),
    );
    await cluster.deleteService("low");
    await cluster.eventually(async () =>
      assert.ok((await cluster.virtualIp("192.0.2.10"))?.spec.heldUntil !== undefined),
    );
    await cluster.changeService("web", { spec: { type: "LoadBalancer" } });
    await cluster.expectShown("web", ["192.0.2.11"]);
    await first.stop();
    await cluster.changeService("web", { metadata: { finalizers: null } });
    await cluster.deleteService("web");
    await cluster.start();
    await cluster.eventually(async () =>
      assert.ok((await cluster.virtualIp("192.0.2.11"))?.spec.heldUntil !== undefined),
    );
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.11"]);
  });

  test("a draining pool holds nothing and returns no held address", async () => {
    await cluster.start();
    await holdOf("before", "192.0.2.10");
    await cluster.addService("after");
    await cluster.expectShown("after", ["192.0.2.11"]);
    await cluster.changePool("lan", { state: "Draining" });
    await cluster.idle();
    await cluster.deleteService("after");
    await cluster.eventually(async () => assert.equal(await cluster.virtualIp("192.0.2.11"), undefined));
    await cluster.addService("before");
    await cluster.expectCondition("before", "False PoolDraining");
  });

  const lasts = [
    { what: "held when the last Service that has it is deleted", leave: () => cluster.deleteService("b"), left: ["b"] },
    {
      what: "released when the last Service that has it moves away",
      leave: () => cluster.changeService("b", { spec: { loadBalancerIP: "192.0.2.12" } }),
      left: undefined,
    },
  ];
  for (const { what, leave, left } of lasts) {
    test(`a shared address is ${what}`, async () => {
      await cluster.start();
      for (const [index, name] of ["a", "b"].entries()) {
        await cluster.addService(name, { ports: port(80 + index) }, share);
        await cluster.expectShown(name, ["192.0.2.10"]);
      }
      await cluster.deleteService("a");
      await cluster.eventually(async () => assert.deepEqual((await holders(cluster))["192.0.2.10"], ["b"]));
      assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.heldUntil, undefined);
      await leave();
      await cluster.eventually(async () => {
        const claim = await cluster.virtualIp("192.0.2.10");
        assert.equal(claim?.spec.heldUntil !== undefined, left !== undefined);
        assert.deepEqual((await holders(cluster))["192.0.2.10"], left);
      });
    });
  }
});
