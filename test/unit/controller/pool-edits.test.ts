import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../src/kube/path.ts";
import { Cluster } from "./cluster.ts";
import { eventually, quiet } from "./eventually.ts";

let cluster: Cluster;

beforeEach(async () => {
  cluster = new Cluster();
  await cluster.addNode("n1");
});

afterEach(() => cluster.stopAll());

async function expectPool(name: string, type: string, text: string, says = /./): Promise<void> {
  await eventually(async () => {
    const conditions = (await cluster.pool(name)).status?.conditions;
    const found = conditions?.find((condition) => condition.type === type);
    assert.equal(`${found?.status} ${found?.reason}`, text);
    assert.match(found?.message ?? "", says);
  });
}

async function expectInPool(address: string, text: string, says = /./): Promise<void> {
  await eventually(async () => {
    const found = (await cluster.virtualIp(address))?.status?.conditions?.find(({ type }) => type === "InPool");
    assert.equal(`${found?.status} ${found?.reason}`, text);
    assert.match(found?.message ?? "", says);
  });
}

function countOf(reasons: readonly string[], reason: string): number {
  return reasons.filter((other) => other === reason).length;
}

describe("edits of a pool in use", () => {
  const edits = [
    { what: "shrunk", spec: { addresses: ["192.0.2.11-192.0.2.20"] }, says: /pool lan no longer holds it/ },
    { what: "made to exclude it", spec: { exclude: ["192.0.2.10"] }, says: /pool lan excludes it/ },
    { what: "broken", spec: { addresses: ["192.0.2.1/24"] }, says: /pool lan is set aside \(PoolRangeInvalid\)/ },
  ];
  for (const { what, spec, says } of edits) {
    test(`${what}: nobody loses an address, pool and VirtualIP say so, and undoing it clears them`, async () => {
      await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectCondition("web", "True AddressAssigned");
      await cluster.changePool("lan", spec);
      await expectInPool("192.0.2.10", "False AddressOutsidePool", says);
      await expectPool("lan", "AllInPool", "False AddressOutsidePool", /192\.0\.2\.10/);
      assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
      assert.equal(await cluster.condition("web"), "True AddressAssigned");
      await eventually(async () => assert.ok((await cluster.eventsOf("lan")).includes("AddressOutsidePool")));
      await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.20"], exclude: null });
      await expectInPool("192.0.2.10", "True InPool");
      await expectPool("lan", "AllInPool", "True AllInside");
    });
  }

  test("a pool that is deleted, and one of another name that takes its place", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "lan") });
    await expectInPool("192.0.2.10", "False AddressOutsidePool", /pool lan is gone/);
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
    await quiet();
    assert.equal((await cluster.virtualIp("192.0.2.10"))?.status?.conditions, undefined);
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
    await quiet();
    assert.equal((await cluster.virtualIp("192.0.2.99"))?.status?.conditions, undefined);
  });

  test("what nodes and spec.externalIPs use is left out, and the pool tells who", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("old", { type: "ClusterIP", externalIPs: ["192.0.2.10", "192.0.2.12"] });
    await expectPool("lan", "AddressesLeftOut", "True UsedElsewhere", /192\.0\.2\.10 \(.*Service default\/old\), 192/);
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.11"]);
    await eventually(async () => assert.equal((await cluster.pool("lan")).status?.availableIPv4, "8"));
    await cluster.changeService("old", { spec: { externalIPs: null } });
    await expectPool("lan", "AddressesLeftOut", "False NothingElse");
  });
});

describe("bellhop_addresses_outside_pool", () => {
  test("counts what Services keep by the pool that it came from, and nothing else; one that stands by tells the same", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.12"], { holdAfterDelete: "1h" });
    await cluster.addPool("six", ["2001:db8::10"]);
    const { registry } = await cluster.start();
    const standby = await cluster.start({}, cluster.server, false);
    const dual = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    await cluster.addVirtualIp("192.0.2.99", {
      address: "192.0.2.99",
      services: [{ namespace: "default", name: "r" }],
    });
    await cluster.addService("a", dual);
    await cluster.expectShown("a", ["192.0.2.10", "2001:db8::10"]);
    await cluster.addService("b");
    await cluster.expectShown("b", ["192.0.2.11"]);
    await cluster.addService("gone");
    await cluster.expectShown("gone", ["192.0.2.12"]);
    await cluster.deleteService("gone");
    await cluster.addService("r");
    await cluster.expectShown("r", ["192.0.2.99"]);
    await eventually(async () => assert.ok((await cluster.virtualIp("192.0.2.12"))?.spec.heldUntil !== undefined));
    const expectMetric = async (lines: readonly string[]): Promise<void> => {
      for (const source of [registry, standby.registry]) {
        await eventually(async () => {
          const found = (await source.metrics())
            .split("\n")
            .filter((line) => line.startsWith("bellhop_addresses_outside_pool{"));
          assert.deepEqual(found.sort(), lines);
        });
      }
    };
    await expectMetric([]);
    await cluster.changePool("lan", { addresses: ["192.0.2.11"] });
    await expectMetric(['bellhop_addresses_outside_pool{pool="lan"} 1']);
    await cluster.changePool("lan", { addresses: ["192.0.2.20"] });
    await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", "six") });
    await expectMetric([
      'bellhop_addresses_outside_pool{pool="lan"} 2',
      'bellhop_addresses_outside_pool{pool="six"} 1',
    ]);
    await cluster.deleteService("b");
    await expectMetric([
      'bellhop_addresses_outside_pool{pool="lan"} 1',
      'bellhop_addresses_outside_pool{pool="six"} 1',
    ]);
    await cluster.changePool("lan", { addresses: ["192.0.2.10"] });
    await cluster.addPool("net", ["2001:db8::/64"]);
    await expectMetric([]);
  });
});

describe("bellhop.dev/reassign", () => {
  const reassign = (text: string | null) => ({ metadata: { annotations: { "bellhop.dev/reassign": text } } });

  beforeEach(() => cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]));

  test("moves a Service once per text, with one event, and also out of a pool that drains", async () => {
    const first = await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", reassign("1"));
    await cluster.expectShown("web", ["192.0.2.11"]);
    await eventually(async () => assert.equal(await cluster.virtualIp("192.0.2.10"), undefined));
    await quiet();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.11"]);
    assert.equal(countOf(await cluster.eventsOf("web"), "UpdatedLoadBalancer"), 1);
    await first.stop();
    await cluster.start();
    await quiet();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.11"], "a restart moves nothing");
    await cluster.changeService("web", reassign(null));
    await cluster.changeService("web", reassign("1"));
    await quiet();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.11"], "the same text has been heeded");
    await cluster.changePool("lan", { state: "Draining" });
    await cluster.addPool("new", ["192.0.2.100"]);
    await cluster.changeService("web", reassign("2"));
    await cluster.expectShown("web", ["192.0.2.100"]);
  });

  test("a Service that is made with it does not move", async () => {
    await cluster.start();
    await cluster.addService("web", {}, { annotations: { "bellhop.dev/reassign": "old" } });
    await cluster.expectShown("web", ["192.0.2.10"]);
    await quiet();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
  });

  test("without a free address it keeps what it has, says so, and moves when one comes free", async () => {
    await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.11"] });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.addService("other");
    await cluster.expectShown("other", ["192.0.2.11"]);
    await cluster.changeService("web", reassign("now"));
    await cluster.expectCondition("web", "False PoolExhausted");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await cluster.deleteService("other");
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("of two families the one that can moves, and a preferred second one is not lost", async () => {
    await cluster.addPool("six", ["2001:db8::10"]);
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" });
    await cluster.expectShown("web", ["192.0.2.10", "2001:db8::10"]);
    await cluster.changeService("web", reassign("now"));
    await cluster.expectShown("web", ["192.0.2.11", "2001:db8::10"]);
    await cluster.expectCondition("web", "False PoolExhausted");
    await cluster.addPool("more", ["2001:db8::20"]);
    await cluster.expectShown("web", ["192.0.2.11", "2001:db8::20"]);
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("of Services that share an address only the one that asks leaves", async () => {
    await cluster.start();
    const annotations = { "bellhop.dev/share": "key" };
    const ports = (port: number) => [{ port, protocol: "TCP", nodePort: 30_000 + port }];
    await cluster.addService("a", { ports: ports(80) }, { annotations });
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: ports(81) }, { annotations });
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("a", reassign("now"));
    await cluster.expectShown("a", ["192.0.2.11"]);
    await quiet();
    assert.deepEqual(await cluster.shown("b"), ["192.0.2.10"]);
    await cluster.changeService("b", reassign("now"));
    await cluster.expectShown("b", ["192.0.2.11"]);
  });

  test("a reservation of the user stays in any case", async () => {
    await cluster.addVirtualIp("192.0.2.12", {
      address: "192.0.2.12",
      services: [{ namespace: "default", name: "web" }],
    });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.12"]);
    await cluster.changeService("web", reassign("now"));
    await quiet();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.12"]);
  });
});
