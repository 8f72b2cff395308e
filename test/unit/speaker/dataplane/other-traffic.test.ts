import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeTable } from "../../../../src/nft/fake-nft.ts";
import { tracePacket } from "../../../../src/nft/tracer.ts";
import { byNodePort, endpoint, FakeNode, node, port, service, slice, vip, vip6 } from "./fake-node.ts";

/** Counts lookups. */
class CountedMap<Key, Value> extends Map<Key, Value> {
  lookups = 0;

  override get(key: Key): Value | undefined {
    this.lookups += 1;
    return super.get(key);
  }
}

const slices = [slice([endpoint("10.244.1.2")]), slice([endpoint("fd01::2")], { key: "default/web-6" })];

/** A node with a Service on each way; `rewritten`: also one whose port is rewritten to its node port. */
async function nodeWith(rewritten: boolean): Promise<FakeNode> {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [port({ nodePort: 0 })], affinityTimeoutSeconds: 30 }), slices, [vip, vip6]);
  await fakeNode.put(service({ key: "default/b" }), slices, ["192.0.2.201", "2001:db8::201"]);
  const view = service({ ...byNodePort, key: "default/c" });
  if (rewritten) await fakeNode.put(view, slices, ["192.0.2.202", "2001:db8::202"]);
  return fakeNode;
}

/** How often rules of ours look something up for a packet of an open connection that is not for an address of a Service, and where it ends. */
function lookupsOf(fakeNode: FakeNode, from: string, to: string, iifname: string): readonly [number, string] {
  const table = fakeNode.nft.table(to.includes(":") ? "ip6" : "ip", "bellhop");
  assert.ok(table);
  const sets = new CountedMap(table.sets);
  const counted: FakeTable = { ...table, sets };
  const packet = { iifname, saddr: from, daddr: to, l4proto: "tcp", sport: 40_000, dport: 80, mark: 0 };
  const local = [node.addresses.IPv4 ?? "", node.addresses.IPv6 ?? ""];
  const { end } = tracePacket(
    [counted],
    { ...packet, syn: false },
    { local, oifname: () => "cni0", state: "established" },
  );
  return [sets.lookups, end];
}

for (const rewritten of [false, true]) {
  const beside = rewritten ? "beside ports that are rewritten to node ports" : "beside the usual Services";
  for (const [words, from, to, iifname] of [
    ["from pod to pod", "10.244.1.2", "10.244.2.2", "cni0"],
    ["from pod to pod, IPv6", "fd01::2", "fd02::2", "cni0"],
    ["from the LAN to a pod", "192.0.2.99", "10.244.2.2", "eth0"],
    ["from a pod to the LAN", "10.244.2.2", "192.0.2.99", "cni0"],
  ] as const) {
    test(`a packet ${words} costs one lookup, ${beside}`, async () => {
      assert.deepEqual(lookupsOf(await nodeWith(rewritten), from, to, iifname), [1, "forwarded"]);
    });
  }

  test(`a packet from the LAN to the node itself costs one lookup more, ${beside}`, async () => {
    const { IPv4 = "" } = node.addresses;
    assert.deepEqual(lookupsOf(await nodeWith(rewritten), "192.0.2.99", IPv4, "eth0"), [2, "local"]);
  });
}

test("packets of open connections pass a chain of ours at prerouting and one at forward; nat has only new ones", async () => {
  for (const [rewritten, passed] of [
    [false, ["before_translation", "drop_unhandled"]],
    [true, ["before_tracking", "before_translation", "drop_unhandled", "unrewrite"]],
  ] as const) {
    const chains = (await nodeWith(rewritten)).nft.table("ip", "bellhop")?.chains ?? [];
    const hooked = [...chains].filter(([, { base }]) => base?.type === "filter" && base.hook !== "input");
    assert.deepEqual(
      hooked.map(([name]) => name),
      passed,
    );
  }
});

for (const rewritten of [false, true]) {
  const beside = rewritten ? "beside ports that are rewritten to node ports" : "beside the usual Services";
  test(`a packet from the LAN to a pod that fits no connection stays as it is, ${beside}`, async () => {
    const fakeNode = await nodeWith(rewritten);
    const packet = { syn: false, state: "invalid", hopLimit: 60 } as const;
    assert.equal(fakeNode.send("10.244.2.2", packet).packet.hopLimit, 60);
    assert.equal(fakeNode.send("fd02::2", packet).packet.hopLimit, 60);
  });
}
