import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../../src/ip/address.ts";
import { addressData, ctStates, numberData, portData, protocolData } from "../../../../src/nft/data.ts";
import { concatenation, constant, type Expression, field } from "../../../../src/nft/expression.ts";
import { FakeNft } from "../../../../src/nft/fake-nft.ts";
import { jhash } from "../../../../src/nft/jhash.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { NftRule, Statement } from "../../../../src/nft/statement.ts";
import type { TracedPacket } from "../../../../src/nft/traced-packet.ts";
import { type TraceOutcome, tracePacket } from "../../../../src/nft/tracer.ts";
import type { BaseChain, NftAction, NftFamily } from "../../../../src/nft/transaction.ts";
import type { Verdict } from "../../../../src/nft/verdict.ts";

const packet: TracedPacket = {
  iifname: "eth0",
  saddr: "192.0.2.99",
  daddr: "192.0.2.200",
  l4proto: "tcp",
  sport: 40_000,
  dport: 80,
  mark: 0,
  syn: true,
};
const early: BaseChain = { type: "filter", hook: "prerouting", priority: -300 };
const nat: BaseChain = { type: "nat", hook: "prerouting", priority: -110 };
const verdict = (to: Verdict): Statement => ({ kind: "verdict", verdict: to });
const drop = verdict({ kind: "drop" });
const accept = verdict({ kind: "accept" });

/** The chains in order, each with its base if it has one, and its rules. */
type Chains = Readonly<Record<string, readonly [BaseChain | undefined, ...NftRule[]]>>;

async function trace(
  chains: Chains,
  change: Partial<TracedPacket> = {},
  sets: readonly NftAction[] = [],
  family: NftFamily = "ip",
): Promise<TraceOutcome> {
  const nft = new FakeNft();
  const table = { family, name: "t" };
  const actions: NftAction[] = [{ kind: "addTable" }, ...sets];
  for (const [chain, [base]] of Object.entries(chains)) {
    actions.push(base === undefined ? { kind: "addChain", chain } : { kind: "addChain", chain, base });
  }
  for (const [chain, [, ...rules]] of Object.entries(chains)) {
    for (const rule of rules) actions.push({ kind: "addRule", chain, rule });
  }
  await nft.run({ commands: actions.map((action) => ({ table, ...action })) });
  return tracePacket([...nft.tables.values()], { ...packet, ...change }, { local: [] });
}

test("jump comes back, goto does not, and return and accept end what they end", async () => {
  const outcome = async (middle: Verdict, inner: Verdict) =>
    (await trace({ first: [early, [verdict(middle)], [drop]], second: [undefined, [verdict(inner)], [drop]] })).chain;
  assert.equal(await outcome({ kind: "jump", chain: "second" }, { kind: "return" }), "first");
  assert.equal(await outcome({ kind: "jump", chain: "second" }, { kind: "continue" }), "second");
  assert.equal(await outcome({ kind: "jump", chain: "second" }, { kind: "accept" }), undefined);
  assert.equal(await outcome({ kind: "goto", chain: "second" }, { kind: "return" }), undefined);
  assert.equal(await outcome({ kind: "jump", chain: "second" }, { kind: "drop" }), "second");
});

test("a port is read from packets of its protocol only, without the rule saying so", async () => {
  const rule: NftRule = [{ kind: "match", left: field("tcp dport"), operator: "==", right: portData(80) }, drop];
  assert.equal((await trace({ first: [early, rule] })).end, "dropped");
  assert.equal((await trace({ first: [early, rule] }, { l4proto: "udp" })).end, "forwarded");
  const ports: NftSet = { name: "ports", key: ["inet_service"] };
  const absent: NftRule = [{ kind: "lookup", key: [field("th dport")], operator: "not in", set: ports }, drop];
  const sets: readonly NftAction[] = [{ kind: "addSet", set: ports }];
  assert.equal((await trace({ first: [early, absent] }, {}, sets)).end, "dropped");
  assert.equal((await trace({ first: [early, absent] }, { l4proto: "icmp" }, sets)).end, "forwarded");
});

test("a packet that is not tracked is not translated", async () => {
  const address = parseAddress("10.244.1.2");
  assert.ok(address);
  const to = constant("ipv4_addr", addressData(address));
  const dnat: NftRule = [{ kind: "dnat", to, port: constant("inet_service", portData(8080)) }];
  const tracked = await trace({ early: [early], nat: [nat, dnat] });
  assert.deepEqual([tracked.packet.daddr, tracked.packet.dport], ["10.244.1.2", 8080]);
  const notrack = await trace({ early: [early, [{ kind: "notrack" }]], nat: [nat, dnat] });
  assert.deepEqual([notrack.packet.daddr, notrack.connection.state], ["192.0.2.200", "untracked"]);
});

test("states, marks and zones of a connection are matched by their bits", async () => {
  const states = numberData("ct_state", ctStates.new | ctStates.invalid);
  const isNew: Statement = { kind: "match", left: field("ct state"), operator: "any", right: states };
  const late: BaseChain = { ...early, priority: -150 };
  assert.equal((await trace({ late: [late, [isNew, drop]] })).end, "dropped");
  const zone: Statement = { kind: "set", field: "ct original zone", to: constant("ct_zone", numberData("ct_zone", 7)) };
  const { connection } = await trace({ early: [early, [{ kind: "counter" }, zone, accept]] });
  assert.equal(connection.zone, 7);
});

test("affinity: a packet that arrives puts an element into the map, which leads the next one to the same pod", async () => {
  const affinity: NftSet = {
    name: "affinity",
    key: ["ipv4_addr", "inet_service"],
    data: ["ipv4_addr", "inet_service"],
    dynamic: true,
    timeoutMs: 10_000,
    size: 100,
  };
  const key = concatenation("ip saddr", "ct original proto-dst");
  const learn: Statement = { kind: "update", set: affinity, key, data: concatenation("ip daddr", "th dport") };
  const after: BaseChain = { type: "filter", hook: "postrouting", priority: 200 };
  const sets: readonly NftAction[] = [{ kind: "addSet", set: affinity }];
  const { updates } = await trace({ after: [after, [learn]] }, { daddr: "10.244.1.2", dport: 8080 }, sets);
  const [update] = updates;
  assert.ok(update);
  const elements = [{ ...update.element, key: update.element.key.replace("\x1f\x90", "\0P") }];
  const learned: NftAction = { kind: "addElements", set: affinity, elements };
  const map: Expression = { kind: "map", key: concatenation("ip saddr", "th dport"), map: affinity };
  const chains: Chains = { nat: [nat, [{ kind: "dnat", to: map }]] };
  const known = await trace(chains, {}, [...sets, learned]);
  assert.deepEqual([known.packet.daddr, known.packet.dport], ["10.244.1.2", 8080]);
  assert.equal((await trace(chains, { saddr: "192.0.2.98" }, [...sets, learned])).packet.daddr, "192.0.2.200");
});

test("a frame is handed to another node at ingress, and copies are made, with other Ethernet addresses", async () => {
  const ingress: BaseChain = { type: "filter", hook: "ingress", priority: 0, devices: ["eth0"] };
  const device = { name: "eth0", index: 2 };
  const ether = { saddr: "\x02\0\0\0\0\x01", daddr: "\x02\0\0\0\0\x02" };
  const rewrite: Statement = { kind: "set", field: "ether daddr", to: constant("ether_addr", "\x02\0\0\0\0\x03") };
  const isTcp: Statement = { kind: "match", left: field("meta l4proto"), operator: "==", right: protocolData("tcp") };
  const rule: NftRule = [isTcp, rewrite, { kind: "dup", device }, { kind: "fwd", device }];
  const sent = await trace({ lan: [ingress, rule] }, { ether }, [], "netdev");
  assert.deepEqual([sent.end, sent.chain, sent.device], ["sent", "lan", "eth0"]);
  assert.deepEqual(sent.packet.ether, { ...ether, daddr: "\x02\0\0\0\0\x03" });
  assert.deepEqual(sent.copies, [{ device: "eth0", packet: sent.packet }]);
  assert.equal((await trace({ lan: [ingress, rule] }, { ether, iifname: "eth1" }, [], "netdev")).end, "forwarded");
});

test("a copy to another node has passed one router more, and hop limits are compared and set", async () => {
  const next = parseAddress("192.0.2.12");
  assert.ok(next);
  const dup: Statement = {
    kind: "dup",
    device: { name: "eth0", index: 2 },
    to: constant("ipv4_addr", addressData(next)),
  };
  const hops = (operator: "<=" | ">", value: number): Statement => ({
    kind: "match",
    left: field("ip ttl"),
    operator,
    right: numberData("hop_limit", value),
  });
  const set: Statement = { kind: "set", field: "ip ttl", to: constant("hop_limit", numberData("hop_limit", 9)) };
  const chains: Chains = { early: [early, [hops("<=", 5), accept], [hops(">", 8), set], [dup], [drop]] };
  for (const [hopLimit, copied] of [
    [64, 8],
    [9, 8],
    [8, 7],
    [6, 5],
    [5, undefined],
  ] as const) {
    const { copies, end } = await trace(chains, { hopLimit });
    assert.equal(copies[0]?.packet.hopLimit, copied);
    assert.equal(end, copied === undefined ? "forwarded" : "dropped");
  }
});

test("a hash is the kernel's", () => {
  // The vectors of lookup3.c, of which jhash is the kernel's form (driver5).
  const text = "Four score and seven years ago";
  const whole = 2 ** 32;
  assert.equal(jhash(text, 0, whole), 0x17770551);
  assert.equal(jhash(text, 1, whole), 0xcd628161);
  assert.equal(jhash("", 0, whole), 0xdeadbeef);
  assert.equal(jhash(text, 0, 3), Math.floor((0x17770551 * 3) / whole));
});
