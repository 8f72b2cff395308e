import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { expectPool } from "../fake-cluster/expect-pool.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

async function expectInPool(address: string, text: string, says = /./): Promise<void> {
  await cluster.eventually(async () => {
    const found = (await cluster.virtualIp(address))?.status?.conditions?.find(({ type }) => type === "InPool");
    assert.equal(`${found?.status} ${found?.reason}`, text);
    assert.match(found?.message ?? "", says);
  });
}

describe("edits of a pool in use", () => {
  const edits = [
    { what: "shrunk", spec: { addresses: ["192.0.2.11-192.0.2.20"] }, says: /Pool lan no longer contains it/ },
    { what: "made to exclude it", spec: { exclude: ["192.0.2.10"] }, says: /Pool lan excludes it/ },
    { what: "broken", spec: { addresses: ["192.0.2.1/24"] }, says: /Pool lan is rejected \(PoolRangeInvalid\)/ },
  ];
  for (const { what, spec, says } of edits) {
    test(`${what}: no Service loses an address, conditions of pool and VirtualIP say so, and undoing it clears them`, async () => {
      await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectCondition("web", "True AddressAssigned");
      await cluster.changePool("lan", spec);
      await expectInPool("192.0.2.10", "False AddressOutsidePool", says);
      await expectPool(cluster, "lan", "AllInPool", "False AddressOutsidePool", /192\.0\.2\.10/);
      assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
      assert.equal(await cluster.condition("web"), "True AddressAssigned");
      await cluster.eventually(async () => assert.ok((await cluster.eventsOf("lan")).includes("AddressOutsidePool")));
      await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.20"], exclude: null });
      await expectInPool("192.0.2.10", "True InPool");
      await expectPool(cluster, "lan", "AllInPool", "True AllInside");
    });
  }

  test("forwarding reaches the addresses, new ones and those in use, and leaves them with the field", async () => {
    const forwardings = async () => {
      const objects = await cluster.virtualIps();
      return objects.map(({ metadata, spec, status }) => [metadata.name, spec.forwarding, status?.forwarding]);
    };
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const reserved = { address: "192.0.2.15", services: [{ namespace: "default", name: "reserved" }] };
    await cluster.addVirtualIp("192.0.2.15", reserved);
    await cluster.start();
    await cluster.addService("web");
    await cluster.addService("reserved");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.expectShown("reserved", ["192.0.2.15"]);
    await cluster.changePool("lan", { forwarding: "nodeport" });
    await cluster.eventually(async () =>
      assert.deepEqual(await forwardings(), [
        ["192.0.2.10", "nodeport", undefined],
        ["192.0.2.15", undefined, "nodeport"],
      ]),
    );
    await cluster.addService("later");
    await cluster.expectShown("later", ["192.0.2.11"]);
    const created = cluster.server.requests.find(
      ({ method, body }) => method === "POST" && (body as VirtualIP).metadata?.name === "192.0.2.11",
    );
    const { spec } = (created?.body ?? {}) as Partial<VirtualIP>;
    assert.equal(spec?.forwarding, "nodeport", "no speaker sees it without");
    await cluster.changePool("lan", { forwarding: null });
    await cluster.eventually(async () =>
      assert.deepEqual(await forwardings(), [
        ["192.0.2.10", undefined, undefined],
        ["192.0.2.11", undefined, undefined],
        ["192.0.2.15", undefined, undefined],
      ]),
    );
    await cluster.idle();
    const before = cluster.server.writes.length;
    await cluster.idle();
    assert.deepEqual(cluster.server.writes.slice(before), []);
  });

  test("an address that leaves its pool keeps its forwarding, as it stays with its Service", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"], { forwarding: "pods" });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "lan") });
    await expectInPool("192.0.2.10", "False AddressOutsidePool");
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.forwarding, "pods");
    await cluster.addPool("net", ["192.0.2.0/24"]);
    await expectInPool("192.0.2.10", "True InPool");
    await cluster.eventually(async () =>
      assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.forwarding, undefined),
    );
  });

  test("a pool that is deleted, and one of another name that takes its place", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "lan") });
    await expectInPool("192.0.2.10", "False AddressOutsidePool", /Pool lan no longer exists/);
    await cluster.addPool("net", ["192.0.2.0/24"]);
    await expectInPool("192.0.2.10", "True InPool");
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.spec.pool, "net");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
  });

  test("without such an edit nothing is written", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await cluster.idle();
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.status?.conditions, undefined);
  });

  test("two that both lead name the addresses in the same order, in whichever they have heard of them", async () => {
    await cluster.addPool("lan", ["192.0.2.10", "2001:db8::11"]);
    await cluster.start();
    const dual = { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" };
    await cluster.addService("web", dual, { annotations: { "bellhop.dev/pool": "lan" } });
    await cluster.expectShown("web", ["2001:db8::11", "192.0.2.10"]);
    await cluster.changePool("lan", { addresses: ["192.0.2.20"] });
    await expectPool(cluster, "lan", "AllInPool", "False AddressOutsidePool", /192\.0\.2\.10, 2001:db8::11/);
    await cluster.start();
    await cluster.pass(1_500);
    const before = cluster.server.writes.length;
    await cluster.pass(2_500);
    assert.deepEqual(cluster.server.writes.slice(before), []);
  });

  test("a reservation outside all pools is the user's own affair", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addVirtualIp("192.0.2.99", {
      address: "192.0.2.99",
      services: [{ namespace: "default", name: "web" }],
    });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.99"]);
    await cluster.idle();
    assert.equal((await cluster.virtualIp("192.0.2.99"))?.status?.conditions, undefined);
  });

  test("what nodes and spec.externalIPs use is left out, and the pool's condition says what uses it", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("old", { type: "ClusterIP", externalIPs: ["192.0.2.10", "192.0.2.12"] });
    await expectPool(
      cluster,
      "lan",
      "AddressesBlocked",
      "True UsedElsewhere",
      /192\.0\.2\.10 \(.*Service default\/old\), 192/,
    );
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.eventually(async () => assert.equal((await cluster.pool("lan")).status?.availableIPv4, "8"));
    await cluster.changeService("old", { spec: { externalIPs: null } });
    await expectPool(cluster, "lan", "AddressesBlocked", "False NothingElse");
  });
});
