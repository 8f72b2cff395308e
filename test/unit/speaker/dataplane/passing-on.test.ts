import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tcpFlags } from "../../../../src/nft/data.ts";
import { byNodePort, endpoint, port, type SentPacket, service, slice, vip, vip6, where } from "./fake-node.ts";
import { type NodeName, nodeNames, PassingNodes, type Way } from "./passing-nodes.ts";

const ports = [
  { name: "", protocol: "TCP", port: 8080 },
  { name: "udp", protocol: "UDP", port: 8080 },
] as const;
const slices = [
  slice([endpoint("10.244.1.2")], { ports }),
  slice([endpoint("fd01::2")], { ports, key: "default/web-6" }),
];
const both = [port(), port({ name: "udp", protocol: "UDP", nodePort: 30081 })];
const views = {
  "straight to pods": service({ ports: both.map((one) => ({ ...one, nodePort: 0 })) }),
  "by kube-proxy": service({ ports: both }),
  "by the node port": service({ ...byNodePort, ports: both }),
};

/** The nodes that it was at, and what became of it at the last one. */
function text({ nodes, outcome }: Way): string {
  return `${nodes.join(" ")}: ${where(outcome)}`;
}

for (const [words, view] of Object.entries(views)) {
  for (const address of [vip, vip6]) {
    for (const tcpLoose of [true, false]) {
      const unknown = tcpLoose ? "new" : "invalid";
      test(`${words}, ${address}, unknown packets ${unknown}: packets find the node that knows their connection`, async () => {
        const nodes = new PassingNodes({ tcpLoose });
        await nodes.put(view, slices, [address]);
        const ack = (to: NodeName, ...knownAt: readonly NodeName[]) =>
          nodes.send(to, address, knownAt, { state: unknown });
        const fin = (to: NodeName, ...knownAt: readonly NodeName[]) =>
          nodes.send(to, address, knownAt, { state: "invalid", tcpFlags: tcpFlags.fin | tcpFlags.ack });
        const udp = (to: NodeName, ...knownAt: readonly NodeName[]) =>
          nodes.send(to, address, knownAt, { protocol: "udp" });
        const syn = (to: NodeName) => nodes.send(to, address, [], { syn: true });
        const refused = "refused by reset in unknown_connection";
        // What has been passed on three times is judged there.
        const refusedAfterAll = "refused by reset in unknown_packet";

        await nodes.moved(address, "n1", "n2");
        assert.deepEqual(
          [ack, fin, udp].map((send) => send("n2", "n1").nodes.join(" ")),
          Array(3).fill("n2 n1"),
        );
        assert.deepEqual(ack("n2", "n2").nodes, ["n2"], "a known one stays");
        assert.equal(text(ack("n2")), `n2 n1: ${refused}`);
        assert.equal(text(fin("n2")), "n2 n1: dropped in unknown_connection");
        assert.deepEqual(udp("n2").nodes, ["n2", "n1", "n2"], "a new flow comes back");
        assert.deepEqual(syn("n2").nodes, ["n2"]);
        assert.deepEqual(ack("n1", "n2").nodes, ["n1", "n2"], "sent to the node before");

        await nodes.moved(address, "n1", "n2", "n3");
        for (const send of [ack, fin, udp]) {
          assert.deepEqual(send("n3", "n2").nodes, ["n3", "n2"]);
          assert.deepEqual(send("n3", "n1").nodes, ["n3", "n2", "n1"]);
        }
        for (const send of [ack, fin, udp])
          assert.deepEqual(send("n2", "n1").nodes, ["n2", "n3", "n1"], "a client that did not notice the last move");
        assert.deepEqual(udp("n2").nodes, ["n2", "n3", "n1", "n3"], "a new flow of such a client");
        assert.equal(text(ack("n3")), `n3 n2 n1 n3: ${refusedAfterAll}`);
        assert.deepEqual(udp("n3").nodes, ["n3", "n2", "n1", "n3"]);

        await nodes.moved(address, "n1", "n2", "n1");
        assert.deepEqual(ack("n1", "n2").nodes, ["n1", "n2"]);
        assert.equal(text(ack("n1")), `n1 n2: ${refused}`);

        await nodes.moved(address, "n1", "n2", "n3", "n4");
        for (const send of [ack, fin]) assert.deepEqual(send("n4", "n1").nodes, ["n4", "n3", "n2", "n1"]);
        assert.deepEqual(ack("n3", "n1").nodes, ["n3", "n4", "n2", "n1"], "a client that did not notice the last move");
        assert.equal(text(ack("n4")), `n4 n3 n2 n1: ${refusedAfterAll}`);
        assert.equal(text(fin("n4")), "n4 n3 n2 n1: dropped in unknown_packet");
        assert.deepEqual(udp("n4").nodes, ["n4", "n3", "n2", "n4"], "a new flow comes back, and does not go further");
      });
    }
  }
}

/** Every way of an address from node to node, without those that merely have other names. */
const journeys: readonly (readonly NodeName[])[] = [
  ["n1", "n2"],
  ["n1", "n2", "n1"],
  ["n1", "n2", "n3"],
  ["n1", "n2", "n1", "n2"],
  ["n1", "n2", "n1", "n3"],
  ["n1", "n2", "n3", "n1"],
  ["n1", "n2", "n3", "n2"],
];
const throughFour: readonly NodeName[] = ["n1", "n2", "n3", "n4"];

for (const held of [...journeys, throughFour]) {
  const passing = nodeNames.filter((name) => held.includes(name));
  for (const [words, view] of Object.entries(views)) {
    test(`${words}, ${held.join(" to ")}: packets find their node in whichever order the nodes learn of the last move`, async () => {
      const before = held.slice(0, -1);
      const ends = [before.at(-1) ?? "n1", held.at(-1) ?? "n1"];
      for (const told of subsets(passing)) {
        const nodes = new PassingNodes();
        await nodes.put(view, slices, [vip]);
        await nodes.moved(vip, ...before);
        for (const at of told) await nodes.movedFor(at, vip, ...held);
        for (const to of ends) {
          // A node that has always had the address, as far as it knows, passes nothing on.
          if (before.length > 1) {
            const unknown = nodes.send(to, vip, []);
            assert.equal(unknown.outcome.end, "refused", `${told} know of the move: ${text(unknown)}`);
          }
          for (const knower of new Set(before)) {
            for (const packet of packets) {
              // The third node sends datagrams back, which may be of a new flow.
              if (packet.protocol === "udp" && passing.length > 3) continue;
              const way = nodes.send(to, vip, [knower], packet);
              assert.equal(way.nodes.at(-1), knower, `${told} know of the move: ${text(way)}`);
            }
          }
        }
      }
    });
  }
}

const packets: readonly Partial<SentPacket>[] = [
  {},
  { state: "invalid" },
  { tcpFlags: tcpFlags.fin | tcpFlags.ack },
  { protocol: "udp" },
];

function subsets<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const [first, ...others] = items;
  return first === undefined ? [[]] : subsets(others).flatMap((some) => [some, [first, ...some]]);
}

test("a dead node gets nothing, and what only it knew is reset", async () => {
  for (const tcpLoose of [true, false]) {
    const nodes = new PassingNodes({ tcpLoose });
    await nodes.put(views["straight to pods"], slices, [vip]);
    await nodes.moved(vip, "n1", "n2");
    const { dataplane } = nodes.nodes.n2;
    const send = () => text(nodes.send("n2", vip, [], { state: tcpLoose ? "new" : "invalid" }));
    dataplane.setDeadNodes(new Set(["n1"]));
    await dataplane.apply({ nodeAddresses: { IPv4: undefined, IPv6: undefined }, tcpLoose });
    assert.equal(send(), "n2: refused by reset in unknown_connection");
    dataplane.setDeadNodes(new Set());
    await dataplane.apply({ nodeAddresses: { IPv4: undefined, IPv6: undefined }, tcpLoose });
    assert.match(send(), /^n2 n1: /);
  }
});

test("a node without memory resets what it does not know", async () => {
  const nodes = new PassingNodes();
  await nodes.put(views["straight to pods"], slices, [vip]);
  await nodes.moved(vip, "n1", "n2", "n3");
  await nodes.holders("n2", vip, "n3");
  assert.equal(text(nodes.send("n3", vip, ["n1"])), "n3 n2: refused by reset in unknown_connection");
  await nodes.holders("n3", vip);
  assert.equal(text(nodes.send("n3", vip, ["n1"])), "n3: refused by reset in pick_flow_1");
});

test("new UDP flows are passed on for ten minutes after a move, and TCP as long as the other node lives", async () => {
  const nodes = new PassingNodes();
  await nodes.put(views["straight to pods"], slices, [vip]);
  await nodes.moved(vip, "n1", "n2");
  const { clock, dataplane } = nodes.nodes.n2;
  const ways = () => [
    nodes.send("n2", vip, ["n1"], { protocol: "udp" }).nodes.length,
    nodes.send("n2", vip, ["n1"]).nodes.length,
  ];
  assert.deepEqual(ways(), [2, 2]);
  assert.equal(dataplane.nextDueMs, clock.monotonicMs() + 600_000);
  await clock.advance(600_000);
  await dataplane.apply({ nodeAddresses: { IPv4: undefined, IPv6: undefined } });
  assert.deepEqual(ways(), [1, 2]);
  assert.equal(dataplane.nextDueMs, undefined);
});

test("source ranges are for the node that knows no connection, and get no answer", async () => {
  const nodes = new PassingNodes();
  await nodes.put({ ...views["straight to pods"], sourceRanges: ["198.51.100.0/24"] }, slices, [vip]);
  await nodes.moved(vip, "n1", "n2");
  assert.equal(text(nodes.send("n2", vip, ["n1"])), text(nodes.send("n1", vip, ["n1"])).replace("n1", "n2 n1"));
  assert.equal(text(nodes.send("n2", vip, [])), "n2 n1: dropped in unknown_connection");
  assert.equal(text(nodes.send("n2", vip, [], { syn: true })), "n2: dropped in check_source_ranges");
});

for (const [words, view] of Object.entries(views)) {
  for (const address of [vip, vip6]) {
    test(`${words}, ${address}: what an older connection from the same port makes invalid finds its node, and no node resets it`, async () => {
      const nodes = new PassingNodes();
      await nodes.put(view, slices, [address]);
      const send = (to: NodeName, invalidAt: readonly NodeName[], ...knownAt: readonly NodeName[]) =>
        text(nodes.send(to, address, knownAt, {}, invalidAt));
      const delivered = (to: NodeName) => text(nodes.send(to, address, [to])).slice(to.length);
      const dropped = "dropped in unknown_connection";
      // Where it has been passed on often enough, by the chain that would pass it on once more.
      const spentTo = (last: string) =>
        `dropped in pass_to_${address === vip ? `192.0.2.1${last}` : `2001_db8__1${last}`}_2`;
      await nodes.moved(address, "n1", "n2");
      assert.equal(send("n2", ["n2"], "n1"), `n2 n1${delivered("n1")}`);
      assert.equal(send("n2", ["n2"]), `n2 n1: ${dropped}`, "it may be outside of the window of a connection at n2");
      assert.equal(send("n1", ["n1"], "n2"), `n1 n2${delivered("n2")}`, "sent to the node before");

      await nodes.moved(address, "n1", "n2", "n3");
      for (const invalidAt of [["n3"], ["n2"], ["n2", "n3"]] as const)
        assert.equal(send("n3", invalidAt, "n1"), `n3 n2 n1${delivered("n1")}`);
      for (const invalidAt of [["n3"], ["n2", "n3"], ["n1", "n2", "n3"]] as const)
        assert.equal(send("n3", invalidAt), `n3 n2 n1 n3: ${spentTo("2")}`);
      assert.equal(send("n3", ["n2"]), `n3 n2 n1 n3 n2: ${spentTo("1")}`, "doubtful from the second node on");
      assert.equal(send("n2", ["n2", "n3"], "n1"), `n2 n3 n1${delivered("n1")}`);

      await nodes.moved(address, "n1", "n2", "n3", "n4");
      for (const invalidAt of [["n4"], ["n3", "n4"], ["n2", "n3", "n4"]] as const)
        assert.equal(send("n4", invalidAt, "n1"), `n4 n3 n2 n1${delivered("n1")}`);

      await nodes.moved(address, "n1");
      await nodes.holders("n1", address, "self");
      assert.deepEqual(nodes.send("n1", address, [], {}, ["n1"]).nodes, ["n1"], "no other node has had the address");
    });
  }
}

test("errors about a connection go where it is known, and pings stay", async () => {
  const nodes = new PassingNodes();
  await nodes.put(views["straight to pods"], slices, [vip]);
  await nodes.moved(vip, "n1", "n2");
  const error = { protocol: "icmp", icmpType: 3, state: "invalid" } as const;
  assert.deepEqual(nodes.send("n2", vip, ["n1"], error).nodes, ["n2", "n1"]);
  assert.deepEqual(nodes.send("n2", vip, [], { protocol: "icmp", icmpType: 8 }).nodes, ["n2"]);
});

test("without holders there is no element more than today", async () => {
  const nodes = new PassingNodes();
  await nodes.put(views["straight to pods"], slices, [vip]);
  const table = () => nodes.nodes.n1.nft.table("ip", "bellhop");
  const count = () =>
    ["peer_macs", "next_hop_macs", "unknown_flows", "passed_flows", "returned_flows"].map(
      (name) => table()?.sets.get(name)?.elements.size,
    );
  assert.deepEqual(count(), [3, 0, 0, 0, 0]);
  await nodes.moved(vip, "n1", "n2");
  assert.deepEqual(count(), [3, 1, 3, 0, 2]);
  await nodes.moved(vip, "n1", "n2", "n3");
  assert.deepEqual(count(), [3, 1, 3, 3, 3]);
  await nodes.holders("n1", vip);
  assert.deepEqual(count(), [3, 0, 0, 0, 0]);
  assert.deepEqual(nodes.nodes.n1.dataplane.services, ["default/web"]);
});

test("where the kernel cannot pass packets on, there are no such elements", async () => {
  const nodes = new PassingNodes();
  for (const family of ["IPv4", "IPv6"] as const) nodes.nodes.n2.dataplane.disablePassingOn(family);
  await nodes.put(views["straight to pods"], slices, [vip]);
  await nodes.moved(vip, "n1", "n2");
  assert.equal(text(nodes.send("n2", vip, ["n1"])), "n2: refused by reset in pick_flow_1");
});

test("where the kernel refuses to pass packets on to a node, everything else is written", async () => {
  const nodes = new PassingNodes();
  const { nft, dataplane } = nodes.nodes.n2;
  nft.refusal = (set) => (set.name === "unknown_flows" ? "unnamed" : undefined);
  await nodes.put(views["straight to pods"], slices, [vip]);
  await nodes.moved(vip, "n1", "n2");
  assert.equal(text(nodes.send("n2", vip, ["n1"])), "n2: refused by reset in pick_flow_1");
  assert.deepEqual(dataplane.refusedServices, []);
  await nodes.put({ ...views["straight to pods"], key: "default/b" }, slices, ["192.0.2.201"]);
  assert.equal(nodes.send("n2", "192.0.2.201", [], { syn: true }).outcome.end, "forwarded");
});

test("a change of the holders of one address writes its elements alone", async () => {
  const nodes = new PassingNodes();
  for (const number of [1, 2, 3]) {
    const key = `default/s${number}`;
    await nodes.put({ ...views["straight to pods"], key }, slices, [`192.0.2.20${number}`]);
    await nodes.moved(`192.0.2.20${number}`, "n1", "n2");
  }
  const { nft } = nodes.nodes.n2;
  const before = nft.accepted.length;
  await nodes.holders("n2", "192.0.2.202", "self", "n3");
  const [{ commands } = { commands: [] }, ...more] = nft.accepted.slice(before);
  assert.equal(more.length, 0);
  assert.ok(commands.length < 20, `${commands.length}`);
});

test("however much the nodes disagree, no packet is passed on more than five times", async () => {
  const someNode = fc.constantFrom(...nodeNames);
  const someHolders = fc.record({
    current: fc.option(fc.constantFrom(...nodeNames, "self" as const), { nil: undefined }),
    previous: fc.array(someNode, { maxLength: 2 }),
  });
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(someHolders, someHolders, someHolders, someHolders),
      fc.record({
        protocol: fc.constantFrom("tcp", "udp", "icmp"),
        hopLimit: fc.integer({ min: 1, max: 255 }),
        tcpFlags: fc.integer({ min: 0, max: 63 }),
        syn: fc.boolean(),
        state: fc.constantFrom("new", "invalid"),
        mac: fc.constantFrom("02:00:00:00:00:99", "02:00:00:00:00:02"),
      }),
      fc.subarray([...nodeNames]),
      fc.boolean(),
      fc.boolean(),
      async (tables, packet, invalidAt, tcpLoose, strangers) => {
        const nodes = new PassingNodes({ tcpLoose });
        if (strangers)
          for (const one of Object.values(nodes.nodes)) for (const peer of nodeNames) one.dataplane.setPeer(peer, []);
        await nodes.put(views["straight to pods"], slices, [vip]);
        for (const [index, { current, previous }] of tables.entries())
          await nodes.holders(nodeNames[index] ?? "n1", vip, current, ...previous);
        for (const to of nodeNames) {
          const passes = nodes.send(to, vip, [], packet, invalidAt).nodes.length - 1;
          longest = Math.max(longest, passes);
          assert.ok(passes <= 5, `${passes} passes`);
        }
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(longest >= 3, "tables that disagree do send packets round");
});
