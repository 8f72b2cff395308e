import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { poolAnnotation, shareAnnotation } from "../../../../src/api/labels.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]);
});

async function deleteClaim(address: string): Promise<void> {
  await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", address) });
}

/** Service `web` has 192.0.2.10, which is taken out of its pool; its VirtualIP goes while no controller runs. */
async function loseOutside(): Promise<void> {
  const first = await cluster.start();
  await cluster.addService("web");
  await cluster.expectShown("web", ["192.0.2.10"]);
  await cluster.changePool("lan", { addresses: ["192.0.2.11-192.0.2.12"] });
  await first.stop();
  await deleteClaim("192.0.2.10");
}

/** Deletes the VirtualIP by hand and waits for another one that names the Service. */
async function loseClaim(address: string, service: string): Promise<void> {
  const uid = (await cluster.virtualIp(address))?.metadata.uid;
  await deleteClaim(address);
  await cluster.eventually(async () => {
    const claim = await cluster.virtualIp(address);
    assert.notEqual(claim?.metadata.uid, uid);
    assert.ok(claim?.spec.services.some(({ name }) => name === service));
  });
}

describe("a VirtualIP of ours that is deleted by hand", () => {
  test("in a pool: the same address is claimed again, also from a draining pool, without an event", async () => {
    await cluster.start();
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.11" });
    await cluster.addService("web");
    await cluster.expectShown("asks", ["192.0.2.11"]);
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changePool("lan", { state: "Draining" });
    await loseClaim("192.0.2.10", "web");
    await loseClaim("192.0.2.11", "asks");
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    assert.deepEqual(await cluster.shown("asks"), ["192.0.2.11"]);
    assert.ok(!(await cluster.eventsOf("web")).includes("UpdatedLoadBalancer"));
  });

  const desired = [
    { what: "asks for nothing", spec: {}, annotations: {} },
    { what: "asks for the address", spec: { loadBalancerIP: "192.0.2.10" }, annotations: {} },
    { what: "names the pool", spec: {}, annotations: { [poolAnnotation]: "lan" } },
  ];
  for (const { what, spec, annotations } of desired) {
    test(`outside every pool, of a Service that ${what}: the same address is claimed again and flagged`, async () => {
      await cluster.start();
      await cluster.addService("web", spec, { annotations });
      await cluster.expectShown("web", ["192.0.2.10"]);
      await cluster.changePool("lan", { addresses: ["192.0.2.11-192.0.2.12"] });
      await cluster.idle();
      await loseClaim("192.0.2.10", "web");
      await cluster.eventually(async () => {
        const found = (await cluster.virtualIp("192.0.2.10"))?.status?.conditions?.find(
          ({ type }) => type === "InPool",
        );
        assert.equal(found?.reason, "AddressOutsidePool");
      });
      await cluster.idle();
      assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
      assert.equal(await cluster.condition("web"), "True AddressAssigned");
      assert.equal((await cluster.virtualIps()).length, 1);
    });
  }

  test("while no controller runs, outside every pool: the next one claims it for the Services that show it", async () => {
    const first = await cluster.start();
    const annotations = { [shareAnnotation]: "key" };
    for (const [name, port] of [
      ["a", 80],
      ["b", 81],
    ] as const) {
      await cluster.addService(name, { ports: [{ port, protocol: "TCP", nodePort: 30_000 + port }] }, { annotations });
      await cluster.expectShown(name, ["192.0.2.10"]);
    }
    await first.stop();
    await deleteClaim("192.0.2.10");
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "lan") });
    await cluster.addPool("net", ["192.0.2.20"]);
    await cluster.start();
    await cluster.eventually(async () =>
      assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.services.length, 2),
    );
    await cluster.idle();
    assert.deepEqual(await cluster.shown("a"), ["192.0.2.10"]);
    assert.deepEqual(await cluster.shown("b"), ["192.0.2.10"]);
  });

  test("outside every pool, of an address that a node has now: the Service gets another one, with an event", async () => {
    await loseOutside();
    await cluster.addNode("n2", ["192.0.2.10/24"]);
    await cluster.start();
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.eventually(async () => assert.ok((await cluster.eventsOf("web")).includes("UpdatedLoadBalancer")));
  });

  test("outside every pool, and reserved for another Service at once: the Service gets another one", async () => {
    await loseOutside();
    await cluster.addVirtualIp("192.0.2.10", { address: "192.0.2.10", services: [] });
    await cluster.start();
    await cluster.expectShown("web", ["192.0.2.11"]);
    assert.deepEqual((await cluster.virtualIp("192.0.2.10"))?.spec.services, []);
  });
});

describe("an address outside every pool that a Service shows and that Bellhop did not assign", () => {
  const strange = { loadBalancer: { ingress: [{ ip: "198.51.100.7", ipMode: "VIP" }] } };
  const condition = {
    type: "bellhop.dev/AddressReady",
    status: "False",
    reason: "NoPool",
    message: "no",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const marks = [
    { what: "nothing of ours on it", finalizers: [], conditions: [] },
    { what: "a finalizer that may be anybody's", finalizers: [loadBalancerFinalizer], conditions: [] },
    { what: "our refusal on it", finalizers: [], conditions: [condition] },
  ];
  for (const { what, finalizers, conditions } of marks) {
    test(`is not adopted: ${what}`, async () => {
      await cluster.addService("web", {}, { finalizers });
      await cluster.setServiceStatus("web", { ...strange, conditions });
      await cluster.start();
      await cluster.expectShown("web", ["192.0.2.10"]);
      assert.equal(await cluster.virtualIp("198.51.100.7"), undefined);
    });
  }
});
