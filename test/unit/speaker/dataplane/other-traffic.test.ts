import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeTable } from "../../../../src/nft/fake-nft.ts";
import { tracePacket } from "../../../../src/nft/tracer.ts";
import { byNodePort, endpoint, FakeNode, port, service, slice, vip, vip6 } from "./fake-node.ts";

/** Counts lookups. */
class CountedMap<Key, Value> extends Map<Key, Value> {
  lookups = 0;

  override get(key: Key): Value | undefined {
    this.lookups += 1;
    return super.get(key);
  }
}

/** How often rules of ours look something up for a packet of an open connection that is not for an address of a Service. */
async function lookupsOf(from: string, to: string, iifname: string): Promise<number> {
  const fakeNode = new FakeNode();
  const slices = [slice([endpoint("10.244.1.2")]), slice([endpoint("fd01::2")], { key: "default/web-6" })];
  await fakeNode.put(service({ ports: [port({ nodePort: 0 })] }), slices, [vip, vip6]);
  await fakeNode.put(service({ ...byNodePort, key: "default/b" }), slices, ["192.0.2.201", "2001:db8::201"]);
  const table = fakeNode.nft.table(to.includes(":") ? "ip6" : "ip", "bellhop");
  assert.ok(table);
  const sets = new CountedMap(table.sets);
  const counted: FakeTable = { ...table, sets };
  const packet = { iifname, saddr: from, daddr: to, l4proto: "tcp", sport: 40_000, dport: 80, mark: 0 };
  const outcome = tracePacket(
    [counted],
    { ...packet, syn: false },
    { local: [], oifname: () => "cni0", state: "established" },
  );
  assert.equal(outcome.end, "forwarded");
  return sets.lookups;
}

for (const [words, from, to, iifname] of [
  ["from pod to pod", "10.244.1.2", "10.244.2.2", "cni0"],
  ["from pod to pod, IPv6", "fd01::2", "fd02::2", "cni0"],
  ["from the LAN to a pod", "192.0.2.99", "10.244.2.2", "eth0"],
] as const) {
  test(`a packet ${words} costs a lookup in each of two chains before tracking, and in one that forwards`, async () => {
    assert.ok((await lookupsOf(from, to, iifname)) <= (iifname === "eth0" ? 4 : 3));
  });
}
