import assert from "node:assert/strict";
import { test } from "node:test";
import { AliveCounter } from "../../../../speaker/polling-thread/alive-counter.ts";
import type { ResponderReport } from "../../../../speaker/responder/commands.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { burstMs, gratuitousFrames, repeatMs } from "../../../../speaker/responder/gratuitous.ts";
import { HeartbeatTransport } from "../../../../speaker/responder/heartbeat-transport.ts";
import { ResponderLoop } from "../../../../speaker/responder/loop.ts";
import { MainThreadWatchdog } from "../../../../speaker/responder/main-thread-watchdog.ts";
import type { Stake } from "../../../../speaker/responder/stake.ts";
import { decodeEthernet } from "../../../../src/packet/ethernet.ts";
import { formatMac } from "../../../../src/packet/mac.ts";
import { multicastMac, solicitedNode } from "../../../../src/packet/ndp.ts";
import { FakePacketSockets } from "../../../../src/packet-socket/fake-packet-sockets.ts";
import { FakeUdpSockets } from "../../../../src/udp-socket/fake-udp-sockets.ts";
import { FirstOwner } from "./first-owner.ts";
import { address, arpRequest, clientMac, mac, ndpFrame, ourMac, solicitation } from "./frames.ts";

const vip = address("192.0.2.200");
const vip6 = address("2001:db8::200");

const noTransport = new HeartbeatTransport({
  node: "n1",
  port: 7482,
  session: 1,
  udpSockets: new FakeUdpSockets(),
  counters: new Counters(),
  failed: (_, reason) => assert.fail(reason),
});

function stakeIn(what: Uint8Array): Stake {
  const family = what.length === 4 ? "IPv4" : "IPv6";
  const common = { owners: ["n1"], createdSeconds: 0, term: 1, armed: true, interfaces: ["eth0"] };
  return { address: what.join("."), family, bytes: what, ...common };
}

/** Decides something when the loop has waited, as another node's message makes it. */
class DecidesInTurn extends FirstOwner {
  decide = () => {};

  override advance(): void {
    this.decide();
    this.decide = () => {};
  }
}

function makeLoop(membership = new FirstOwner("n1")) {
  const clock = { nowMs: 0 };
  const packetSockets = new FakePacketSockets("eth0", "eth1");
  const counters = new Counters();
  const aliveCounter = new AliveCounter();
  const reports: ResponderReport[] = [];
  const now = () => clock.nowMs;
  const loop = new ResponderLoop({
    membership,
    transport: noTransport,
    onConflict: "defend",
    packetSockets,
    now,
    random: () => 0.5,
    counters,
    watchdog: new MainThreadWatchdog(aliveCounter, now, 30_000),
    report: (report) => reports.push(report),
  });
  loop.apply({ kind: "setInterface", name: "eth0", index: 2, mac: ourMac });
  const announce = (what: Uint8Array, change: Partial<Stake> = {}) =>
    loop.apply({ kind: "setStake", stake: { ...stakeIn(what), ...change }, probe: undefined });
  const withdraw = (what: Uint8Array) => loop.apply({ kind: "removeStake", address: what.join(".") });
  return { clock, packetSockets, counters, aliveCounter, reports, loop, announce, withdraw };
}

/** When frames went out, running the loop each 10 ms. */
function sendTimes(fixture: ReturnType<typeof makeLoop>, untilMs: number): readonly number[] {
  const times: number[] = [];
  for (; fixture.clock.nowMs <= untilMs; fixture.clock.nowMs += 10) {
    const before = fixture.packetSockets.sockets.flatMap((socket) => socket.sent).length;
    fixture.aliveCounter.increment();
    fixture.loop.turn();
    if (fixture.packetSockets.sockets.flatMap((socket) => socket.sent).length > before) times.push(fixture.clock.nowMs);
  }
  return times;
}

test("a request is answered once the address is announced, and no longer after it is withdrawn", () => {
  const { packetSockets, loop, announce, withdraw, counters } = makeLoop();
  announce(vip);
  loop.turn();
  const socket = packetSockets.socket("eth0", "arp");
  const gratuitous = socket?.sent.length ?? 0;
  socket?.inbox.push(arpRequest("192.0.2.200"), arpRequest("192.0.2.201"));
  loop.turn();
  assert.equal(socket?.sent.length, gratuitous + 1);
  assert.equal(counters.read("arpRequests"), 1);
  assert.equal(counters.read("arpReplies"), 1);
  withdraw(vip);
  loop.turn();
  assert.equal(socket?.open, false);
});

test("a takeover is announced in a burst, then slowly without end", () => {
  const fixture = makeLoop();
  fixture.announce(vip);
  assert.deepEqual(sendTimes(fixture, 2000 + 2 * repeatMs), [...burstMs, 2000 + repeatMs, 2000 + 2 * repeatMs]);
});

test("an address withdrawn and announced again starts one new burst and leaves nothing of the old one", () => {
  const fixture = makeLoop();
  fixture.announce(vip);
  fixture.loop.turn();
  fixture.clock.nowMs = 100;
  fixture.withdraw(vip);
  fixture.announce(vip);
  assert.deepEqual(
    sendTimes(fixture, 2600),
    burstMs.map((delay) => 100 + delay),
  );
  assert.equal(fixture.packetSockets.socket("eth0", "arp")?.sent.length, 2 * burstMs.length);
});

test("an interface with a new hardware address announces its addresses again, with that", () => {
  const { packetSockets, loop, announce } = makeLoop();
  announce(vip);
  loop.turn();
  const newMac = mac("02:00:00:00:00:07");
  loop.apply({ kind: "setInterface", name: "eth0", index: 2, mac: newMac });
  loop.turn();
  assert.deepEqual(packetSockets.socket("eth0", "arp")?.sent, gratuitousFrames(newMac, vip));
});

test("the group of an IPv6 address is joined, once for each address, and left again", () => {
  const { packetSockets, loop, announce, withdraw } = makeLoop();
  const sibling = address("2001:db8:1::200");
  announce(vip6);
  announce(sibling);
  loop.turn();
  const socket = packetSockets.socket("eth0", "ndp");
  const group = formatMac(multicastMac(solicitedNode(vip6)));
  assert.deepEqual(socket?.groups.map(formatMac), [group, group]);
  withdraw(sibling);
  loop.turn();
  assert.deepEqual(socket?.groups.map(formatMac), [group]);
});

test("a solicitation is answered", () => {
  const { packetSockets, loop, announce, counters } = makeLoop();
  announce(vip6);
  loop.turn();
  const socket = packetSockets.socket("eth0", "ndp");
  socket?.inbox.push(ndpFrame(solicitation("2001:db8::200")));
  loop.turn();
  assert.deepEqual(decodeEthernet(socket?.sent.at(-1) ?? new Uint8Array())?.destination, clientMac);
  assert.equal(counters.read("ndpAdvertisements"), 1);
});

test("frames without an effect are counted by reason, and those that the kernel dropped once a second", () => {
  const { packetSockets, loop, announce, counters, clock } = makeLoop();
  announce(vip);
  loop.turn();
  const socket = packetSockets.socket("eth0", "arp");
  assert.ok(socket !== undefined);
  socket.inbox.push(arpRequest("192.0.2.201"), arpRequest("192.0.2.200").subarray(0, 30), arpRequest("192.0.2.202"));
  socket.lost = 7;
  const read = () => (["unrelatedFrames", "malformedFrames", "lostFrames"] as const).map((name) => counters.read(name));
  loop.turn();
  assert.deepEqual(read(), [2, 1, 0]);
  clock.nowMs = 1000;
  loop.turn();
  assert.deepEqual(read(), [2, 1, 7]);
});

test("a conflict is counted each time and reported once a second", () => {
  const { packetSockets, loop, announce, counters, reports, clock } = makeLoop();
  announce(vip);
  loop.turn();
  const claim = gratuitousFrames(clientMac, vip);
  for (const atMs of [0, 500, 1500]) {
    clock.nowMs = atMs;
    packetSockets.socket("eth0", "arp")?.inbox.push(...claim);
    loop.turn();
  }
  assert.equal(counters.read("conflicts"), 6);
  assert.deepEqual(
    reports.filter((report) => report.kind === "conflict"),
    [0, 0].map(() => ({ kind: "conflict", interfaceName: "eth0", address: vip, mac: clientMac })),
  );
});

test("without a sign of the main thread for 30 s nothing is answered or announced, and with one it is again", () => {
  const { packetSockets, loop, announce, clock, aliveCounter, counters } = makeLoop();
  announce(vip);
  loop.turn();
  const socket = packetSockets.socket("eth0", "arp");
  const ask = () => {
    const before = socket?.sent.length ?? 0;
    socket?.inbox.push(arpRequest("192.0.2.200"));
    loop.turn();
    return (socket?.sent.length ?? 0) - before;
  };
  clock.nowMs = 29_999;
  assert.ok(ask() > 0);
  clock.nowMs = 90_000;
  assert.equal(ask(), 0);
  assert.equal(counters.read("silencedFrames"), 1);
  aliveCounter.increment();
  assert.ok(ask() > 0);
});

test("an interface that does not exist is reported and disturbs nothing else", () => {
  const { loop, reports, announce, packetSockets } = makeLoop();
  loop.apply({ kind: "setInterface", name: "eth9", index: 9, mac: ourMac });
  announce(vip, { interfaces: ["eth9"] });
  loop.turn();
  assert.deepEqual(
    reports.filter((report) => report.kind === "interfaceFailed").map(({ name }) => name),
    ["eth9"],
  );
  announce(vip);
  loop.turn();
  assert.ok(packetSockets.socket("eth0", "arp") !== undefined);
});

test("an interface whose socket breaks is reported, and can be set again", () => {
  const { loop, reports, announce, packetSockets } = makeLoop();
  announce(vip);
  loop.turn();
  const socket = packetSockets.socket("eth0", "arp");
  assert.ok(socket !== undefined);
  socket.broken = "ENETDOWN";
  loop.turn();
  assert.deepEqual(reports.at(-1), { kind: "interfaceFailed", name: "eth0", reason: "failed with ENETDOWN" });
  assert.equal(socket.open, false);
  loop.apply({ kind: "setInterface", name: "eth0", index: 2, mac: ourMac });
  loop.turn();
  assert.deepEqual(packetSockets.socket("eth0", "arp")?.sent, gratuitousFrames(ourMac, vip));
});

test("an interface stays while the last address of a family moves away, although frames of the family wait", () => {
  const membership = new DecidesInTurn("n1");
  const { packetSockets, loop, announce, counters, reports } = makeLoop(membership);
  announce(vip);
  announce(vip6);
  loop.turn();
  const arp = packetSockets.socket("eth0", "arp");
  const ndp = packetSockets.socket("eth0", "ndp");
  const gratuitous = arp?.sent.length ?? 0;
  ndp?.inbox.push(ndpFrame(solicitation("2001:db8::200")));
  arp?.inbox.push(arpRequest("192.0.2.200"));
  membership.decide = () => membership.removeStake(vip6.join("."));
  loop.turn();
  assert.equal(ndp?.open, false);
  assert.deepEqual(
    reports.filter(({ kind }) => kind === "interfaceFailed"),
    [],
  );
  assert.equal(counters.read("receiveErrors"), 0);
  assert.equal(arp?.sent.length, gratuitous + 1, "the other family is answered for");
});

test("stop closes every socket", () => {
  const { loop, announce, packetSockets } = makeLoop();
  announce(vip);
  announce(vip6);
  loop.apply({ kind: "stop" });
  assert.ok(loop.stopped && packetSockets.sockets.every((socket) => !socket.open));
});

test("the first owner announces as soon as its stake is armed, and reports it; any other owner does not", () => {
  const { loop, announce, reports, packetSockets } = makeLoop();
  announce(vip, { owners: ["n2", "n1"] });
  announce(vip6, { armed: false });
  loop.turn();
  assert.equal(reports.length, 0);
  assert.equal(packetSockets.sockets.length, 0);
  announce(vip, { term: 2 });
  announce(vip6);
  loop.turn();
  announce(vip, { term: 3 });
  announce(vip6, { owners: ["n2", "n1"] });
  loop.turn();
  const [text, text6] = [vip.join("."), vip6.join(".")];
  const holding = { kind: "holding", renewed: false, gapMs: 0 } as const;
  const claim = { createdSeconds: 0, epoch: 0, rank: 0 };
  assert.deepEqual(
    reports.flatMap((report) => (report.kind === "facts" ? report.facts : [])),
    [
      { ...holding, address: text, claim: { ...claim, term: 2 }, cause: "Planned", from: "n2" },
      { ...holding, address: text6, claim: { ...claim, term: 1 }, cause: "Start", from: undefined },
      { ...holding, address: text, claim: { ...claim, term: 3 }, cause: "Planned", from: undefined, renewed: true },
      { kind: "released", address: text6, to: undefined },
    ],
  );
});

test("an announced address that gets other interfaces is announced on the new ones, and on the old ones no longer", () => {
  const { loop, announce, packetSockets } = makeLoop();
  loop.apply({ kind: "setInterface", name: "eth1", index: 3, mac: mac("02:00:00:00:00:02") });
  announce(vip);
  loop.turn();
  announce(vip, { interfaces: ["eth1"] });
  loop.turn();
  assert.equal(packetSockets.socket("eth0", "arp"), undefined);
  assert.deepEqual(packetSockets.socket("eth1", "arp")?.sent, gratuitousFrames(mac("02:00:00:00:00:02"), vip));
});
