import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.15", "2001:db8::10-2001:db8::15"]);
});

/** Services that each request an address, in this order. */
async function serve(requests: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, loadBalancerIP] of Object.entries(requests)) {
    await cluster.addService(name, { loadBalancerIP });
    await cluster.expectShown(name, [loadBalancerIP]);
  }
}

async function request(requests: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, loadBalancerIP] of Object.entries(requests))
    await cluster.changeService(name, { spec: { loadBalancerIP } });
}

/** Looks after each write whether two Services show one address. */
function watchForDoubles(): readonly string[] {
  const doubles: string[] = [];
  const shown = new Map<string, readonly string[]>();
  cluster.server.loseAnswer = ({ method, path, body }) => {
    const name = /services\/([^/]+)\/status$/.exec(path)?.[1];
    const { status } = (body ?? {}) as { status?: { loadBalancer?: { ingress?: { ip: string }[] | null } } };
    if (method !== "PATCH" || name === undefined || status?.loadBalancer === undefined) return;
    shown.set(
      name,
      (status.loadBalancer.ingress ?? []).map(({ ip }) => ip),
    );
    const all = [...shown.values()].flat();
    doubles.push(...all.filter((ip, index) => all.indexOf(ip) !== index));
  };
  return doubles;
}

describe("Services that request each other's addresses", () => {
  const rings: readonly (readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>])[] = [
    [
      { blue: "192.0.2.11", green: "192.0.2.12" },
      { blue: "192.0.2.12", green: "192.0.2.11" },
    ],
    [
      { a: "192.0.2.11", b: "192.0.2.12", c: "192.0.2.13" },
      { a: "192.0.2.12", b: "192.0.2.13", c: "192.0.2.11" },
    ],
    [
      { c: "192.0.2.11", a: "192.0.2.12", b: "192.0.2.13" },
      { c: "192.0.2.12", a: "192.0.2.13", b: "192.0.2.11" },
    ],
  ];
  for (const [before, after] of rings) {
    test(`end up exchanged: ${Object.values(before)} to ${Object.values(after)}, also where others wait for any address`, async () => {
      await cluster.start();
      await serve(before);
      // Takes all that is free, and any that would become free.
      await cluster.changePool("lan", { addresses: ["192.0.2.11-192.0.2.13"] });
      for (let count = Object.keys(before).length; count < 4; count++) await cluster.addService(`other-${count}`);
      await cluster.idle();
      const doubles = watchForDoubles();
      await request(after);
      for (const [name, address] of Object.entries(after)) await cluster.expectShown(name, [address]);
      await cluster.idle();
      assert.deepEqual(doubles, []);
      for (const { spec } of await cluster.virtualIps()) assert.equal(spec.heldUntil, undefined);
      for (const name of Object.keys(after)) assert.equal(await cluster.condition(name), "True AddressAssigned");
    });
  }

  test("exchange both families", async () => {
    const dual = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    const ips = (last: number) => ({ annotations: { "bellhop.dev/ips": `192.0.2.${last}, 2001:db8::${last}` } });
    await cluster.start();
    await cluster.addService("blue", dual, ips(11));
    await cluster.addService("green", dual, ips(12));
    await cluster.expectShown("green", ["192.0.2.12", "2001:db8::12"]);
    await cluster.changeService("blue", { metadata: ips(12) });
    await cluster.changeService("green", { metadata: ips(11) });
    await cluster.expectShown("blue", ["192.0.2.12", "2001:db8::12"]);
    await cluster.expectShown("green", ["192.0.2.11", "2001:db8::11"]);
  });

  test("exchange them across a restart", async () => {
    const first = await cluster.start();
    await serve({ blue: "192.0.2.11", green: "192.0.2.12" });
    await first.stop();
    await request({ blue: "192.0.2.12", green: "192.0.2.11" });
    await cluster.start();
    await cluster.expectShown("blue", ["192.0.2.12"]);
    await cluster.expectShown("green", ["192.0.2.11"]);
  });

  test("keep what they have where one of them could not have the other address", async () => {
    await cluster.start();
    await serve({ blue: "192.0.2.11", green: "192.0.2.12" });
    await cluster.addPool("other", ["192.0.2.20"]);
    await cluster.changeService("green", { metadata: { annotations: { "bellhop.dev/pool": "other" } } });
    await request({ blue: "192.0.2.12", green: "192.0.2.11" });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("blue"), ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("green"), ["192.0.2.12"]);
  });

  for (const ipFamilies of [
    ["IPv4", "IPv6"],
    ["IPv6", "IPv4"],
  ]) {
    test(`exchange one family of ${ipFamilies} where the one that begins prefers both and no pool has the other`, async () => {
      await cluster.changePool("lan", { addresses: ["2001:db8::11-2001:db8::12"] });
      await cluster.start();
      await cluster.addService("blue", {
        ipFamilies,
        ipFamilyPolicy: "PreferDualStack",
        loadBalancerIP: "2001:db8::11",
      });
      await cluster.expectShown("blue", ["2001:db8::11"]);
      await cluster.addService("green", { ipFamilies: ["IPv6"], loadBalancerIP: "2001:db8::12" });
      await cluster.expectShown("green", ["2001:db8::12"]);
      await request({ blue: "2001:db8::12", green: "2001:db8::11" });
      await cluster.expectShown("blue", ["2001:db8::12"]);
      await cluster.expectShown("green", ["2001:db8::11"]);
      assert.equal(await cluster.condition("green"), "True AddressAssigned");
    });
  }

  for (const dual of ["blue", "green"]) {
    test(`keep what they have where ${dual} requires a second family that no pool has`, async () => {
      await cluster.changePool("lan", { addresses: ["2001:db8::11-2001:db8::12"] });
      await cluster.start();
      await cluster.addService("blue", { ipFamilies: ["IPv6"], loadBalancerIP: "2001:db8::11" });
      await cluster.addService("green", { ipFamilies: ["IPv6"], loadBalancerIP: "2001:db8::12" });
      await cluster.expectShown("green", ["2001:db8::12"]);
      await cluster.changeService(dual, {
        spec: { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" },
      });
      await request({ blue: "2001:db8::12", green: "2001:db8::11" });
      await cluster.idle();
      assert.deepEqual(await cluster.shown("blue"), ["2001:db8::11"]);
      assert.deepEqual(await cluster.shown("green"), ["2001:db8::12"]);
    });
  }

  test("keep both families where one of them cannot be exchanged", async () => {
    const dual = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    const ips = (last: number) => ({ annotations: { "bellhop.dev/ips": `192.0.2.${last}, 2001:db8::${last}` } });
    await cluster.start();
    await cluster.addService("blue", dual, ips(11));
    await cluster.addService("green", dual, ips(12));
    await cluster.expectShown("green", ["192.0.2.12", "2001:db8::12"]);
    await cluster.changePool("lan", { addresses: ["2001:db8::10-2001:db8::15"] });
    await cluster.changeService("blue", { metadata: ips(12) });
    await cluster.changeService("green", { metadata: ips(11) });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("blue"), ["192.0.2.11", "2001:db8::11"]);
    assert.deepEqual(await cluster.shown("green"), ["192.0.2.12", "2001:db8::12"]);
  });

  test("keep what they have where another Service shows one of the addresses, too", async () => {
    await cluster.start();
    await serve({ blue: "192.0.2.11", green: "192.0.2.12" });
    await cluster.addService("third", { loadBalancerClass: "example.com/other" });
    await cluster.setServiceStatus("third", { loadBalancer: { ingress: [{ ip: "192.0.2.11" }] } });
    await request({ blue: "192.0.2.12", green: "192.0.2.11" });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("blue"), ["192.0.2.11"]);
    assert.deepEqual(await cluster.shown("green"), ["192.0.2.12"]);
  });

  test("keep what they have where the pool avoids one of the addresses", async () => {
    await cluster.changePool("lan", { addresses: ["198.51.100.254-198.51.100.255"] });
    await cluster.start();
    await serve({ blue: "198.51.100.255", green: "198.51.100.254" });
    await cluster.changePool("lan", { avoidBuggyIPs: true });
    await request({ blue: "198.51.100.254", green: "198.51.100.255" });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("blue"), ["198.51.100.255"]);
    assert.deepEqual(await cluster.shown("green"), ["198.51.100.254"]);
  });

  for (const [what, green] of [
    ["another key", { "bellhop.dev/share": "green" }],
    ["the same key and the same port", { "bellhop.dev/share": "blue" }],
  ] as const) {
    test(`exchange them where they would share with ${what}`, async () => {
      await cluster.start();
      await cluster.addService(
        "blue",
        { loadBalancerIP: "192.0.2.11" },
        { annotations: { "bellhop.dev/share": "blue" } },
      );
      await cluster.addService("green", { loadBalancerIP: "192.0.2.12" }, { annotations: green });
      await cluster.expectShown("blue", ["192.0.2.11"]);
      await cluster.expectShown("green", ["192.0.2.12"]);
      await request({ blue: "192.0.2.12", green: "192.0.2.11" });
      await cluster.expectShown("blue", ["192.0.2.12"]);
      await cluster.expectShown("green", ["192.0.2.11"]);
    });
  }
});
