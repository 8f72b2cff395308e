import assert from "node:assert/strict";
import { test } from "node:test";
import {
  lateAnswerMs,
  type ProbeCause,
  probeAgainMs,
  probeEndMs,
  probeMs,
} from "../../../../speaker/responder/address-probes.ts";
import type { ResponderReport } from "../../../../speaker/responder/commands.ts";
import { defendIntervalMs } from "../../../../speaker/responder/conflict-defence.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { gratuitousFrames } from "../../../../speaker/responder/gratuitous.ts";
import { HeartbeatTransport } from "../../../../speaker/responder/heartbeat-transport.ts";
import { probeFrame } from "../../../../speaker/responder/lan-probe.ts";
import { ResponderLoop } from "../../../../speaker/responder/loop.ts";
import type { Stake } from "../../../../speaker/responder/stake.ts";
import { decodeArp, encodeArp } from "../../../../src/packet/arp.ts";
import { decodeEthernet, encodeEthernet, etherTypes } from "../../../../src/packet/ethernet.ts";
import { formatMac } from "../../../../src/packet/mac.ts";
import { allNodes } from "../../../../src/packet/ndp.ts";
import { FakePacketSockets } from "../../../../src/packet-socket/fake-packet-sockets.ts";
import type { ConflictPolicy } from "../../../../src/settings/speaker-settings.ts";
import { FakeUdpSockets } from "../../../../src/udp-socket/fake-udp-sockets.ts";
import { FirstOwner } from "./first-owner.ts";
import { address, arpRequest, clientMac, ndpFrame, ourMac, solicitation } from "./frames.ts";

type Family = "IPv4" | "IPv6";

const vips = { IPv4: "192.0.2.200", IPv6: "2001:db8::200" } as const;

/** What a device with the address sends to a probe, or without a request. */
function claimOf(family: Family): Uint8Array {
  const bytes = address(vips[family]);
  if (family === "IPv6") {
    const flags = { router: false, solicited: false, override: true };
    return ndpFrame(
      { kind: "advertisement", target: bytes, linkAddress: clientMac, ...flags },
      { destination: allNodes, source: bytes },
    );
  }
  const payload = encodeArp({
    operation: "reply",
    senderMac: clientMac,
    senderAddress: bytes,
    targetMac: ourMac,
    targetAddress: address("0.0.0.0"),
  });
  return encodeEthernet({ destination: ourMac, source: clientMac, etherType: etherTypes.arp, payload });
}

function requestOf(family: Family): Uint8Array {
  return family === "IPv4" ? arpRequest(vips.IPv4) : ndpFrame(solicitation(vips.IPv6));
}

function probeOf(family: Family): Uint8Array {
  const target = address(vips[family]);
  return probeFrame(ourMac, { target, source: new Uint8Array(target.length) });
}

class Node {
  readonly clock = { nowMs: 0 };
  readonly sockets = new FakePacketSockets("eth0");
  readonly counters = new Counters();
  readonly reports: ResponderReport[] = [];
  readonly #family: Family;
  readonly #loop: ResponderLoop;

  constructor(family: Family, { onConflict = "defend" as ConflictPolicy, interfaces = true } = {}) {
    this.#family = family;
    this.#loop = new ResponderLoop({
      membership: new FirstOwner("n1"),
      transport: new HeartbeatTransport({
        node: "n1",
        port: 7482,
        session: 1,
        udpSockets: new FakeUdpSockets(),
        counters: this.counters,
        failed: (_, reason) => assert.fail(reason),
      }),
      onConflict,
      packetSockets: this.sockets,
      now: () => this.clock.nowMs,
      random: () => 0.5,
      counters: this.counters,
      watchdog: { alive: () => true },
      report: (report) => this.reports.push(report),
    });
    if (interfaces) this.setInterface();
  }

  setInterface(): void {
    this.#loop.apply({ kind: "setInterface", name: "eth0", index: 2, mac: ourMac });
  }

  set(change: Partial<Stake> = {}, probe: ProbeCause = "new"): void {
    this.#setStake(change, probe);
  }

  /** An address that a speaker has announced before. */
  setKnown(change: Partial<Stake> = {}): void {
    this.#setStake(change, undefined);
  }

  setPeer(): void {
    const peers = [{ node: "n2", addresses: [], port: 7482, macs: [clientMac] }];
    this.#loop.apply({ kind: "setPeers", peers, probes: { gateways: [], nodes: new Map() } });
  }

  receive(frame: Uint8Array): void {
    const socket = this.sockets.socket("eth0", this.#family === "IPv4" ? "arp" : "ndp");
    assert.ok(socket !== undefined, "no socket listens");
    socket.inbox.push(frame);
    this.#loop.turn();
  }

  /** Runs until the time, and returns what was sent when. */
  sent(untilMs: number): readonly { readonly atMs: number; readonly what: "probe" | "announcement" | "other" }[] {
    const bytes = address(vips[this.#family]);
    const named = [
      ["probe", [probeOf(this.#family)]],
      ["announcement", gratuitousFrames(ourMac, bytes)],
    ] as const;
    const sent: { atMs: number; what: "probe" | "announcement" | "other" }[] = [];
    for (; ; this.clock.nowMs += 10) {
      this.#loop.turn();
      for (const frame of this.sockets.sockets.flatMap((socket) => socket.sent.splice(0))) {
        const what = named.find(([, frames]) => frames.some((one) => Buffer.compare(one, frame) === 0))?.[0] ?? "other";
        sent.push({ atMs: this.clock.nowMs, what });
      }
      if (this.clock.nowMs >= untilMs) return sent;
    }
  }

  /** When the first announcement is sent until then. */
  announcedAt(untilMs: number): number | undefined {
    return this.sent(untilMs).find(({ what }) => what === "announcement")?.atMs;
  }

  get answers(): boolean {
    const before = this.sockets.sockets.flatMap((socket) => socket.sent).length;
    const socket = this.sockets.socket("eth0", this.#family === "IPv4" ? "arp" : "ndp");
    if (socket === undefined) return false;
    this.receive(requestOf(this.#family));
    return this.sockets.sockets.flatMap((one) => one.sent).length > before;
  }

  #setStake(change: Partial<Stake>, probe: ProbeCause | undefined): void {
    const text = vips[this.#family];
    const common = { owners: ["n1"], createdSeconds: 0, term: 1, armed: true, interfaces: ["eth0"] };
    const stake: Stake = { address: text, bytes: address(text), family: this.#family, ...common, ...change };
    this.#loop.apply({ kind: "setStake", stake, probe });
  }

  /** Which device has the address, by what was reported last. */
  get usedBy(): string | undefined {
    const by = this.#lastFound;
    return by === undefined ? undefined : formatMac(by.mac);
  }

  /** Whether that device had the address before any speaker. */
  get hadBefore(): boolean | undefined {
    return this.#lastFound?.hadBefore;
  }

  get #lastFound() {
    return this.reports.filter((report) => report.kind === "addressUsed").at(-1)?.by;
  }
}

test("probes are sent within less than 300 ms altogether, and have the form of RFC 5227 and RFC 4862", () => {
  assert.ok(probeEndMs < 300 && probeMs.length === 3);
  const packet = decodeArp(decodeEthernet(probeOf("IPv4"))?.payload ?? new Uint8Array());
  assert.deepEqual(packet?.senderAddress, address("0.0.0.0"));
  assert.deepEqual(packet?.targetAddress, address(vips.IPv4));
  // From nowhere, without a link address: other hosts must not learn anything from it.
  const frame = probeOf("IPv6");
  const expected = ndpFrame(solicitation(vips.IPv6, "none"), { source: address("::") });
  expected.set(ourMac, 6);
  assert.deepEqual(frame, expected);
});

for (const family of ["IPv4", "IPv6"] as const) {
  test(`${family}: an address that no device has is announced after three probes, and not answered before`, () => {
    const node = new Node(family);
    node.set();
    assert.equal(node.answers, false);
    const sent = node.sent(probeEndMs);
    const probes = sent.filter(({ what }) => what === "probe").map(({ atMs }) => atMs);
    assert.deepEqual(probes, probeMs);
    assert.equal(sent.find(({ what }) => what === "announcement")?.atMs, probeEndMs);
    assert.equal(node.answers, true);
    assert.equal(node.usedBy, undefined);
  });

  test(`${family}: a probe runs while the rules are written`, () => {
    const node = new Node(family);
    node.set({ armed: false });
    assert.equal(node.announcedAt(probeEndMs + 50), undefined);
    node.set({ armed: true });
    assert.equal(node.announcedAt(probeEndMs + 60), probeEndMs + 50);
  });

  test(`${family}: an address that another device has is not announced, and is as soon as it no longer has it`, () => {
    const node = new Node(family);
    node.set();
    node.sent(50);
    node.receive(claimOf(family));
    assert.equal(node.usedBy, formatMac(clientMac));
    assert.equal(node.hadBefore, true);
    assert.equal(node.announcedAt(50 + probeAgainMs - 10), undefined);
    // It answers the next probes, too.
    node.sent(50 + probeAgainMs + 20);
    node.receive(claimOf(family));
    assert.equal(
      node.reports.filter(({ kind }) => kind === "addressUsed").length,
      1,
      "the same device is reported once",
    );
    const againMs = node.clock.nowMs + probeAgainMs;
    assert.equal(node.announcedAt(againMs + probeEndMs), againMs + probeEndMs);
    assert.equal(node.usedBy, undefined);
    assert.equal(node.reports.filter(({ kind }) => kind === "addressUsed").length, 2);
  });

  for (const known of [false, true]) {
    const when = known ? ", and its status says so" : "";
    test(`${family}: an answer that comes late counts as if it had come in time, although the address is announced${when}`, () => {
      const node = new Node(family);
      node.set();
      assert.equal(node.announcedAt(probeEndMs), probeEndMs);
      if (known) node.setKnown();
      const answeredMs = probeEndMs + lateAnswerMs - 200;
      node.sent(answeredMs);
      node.receive(claimOf(family));
      assert.deepEqual(node.sent(answeredMs), [], "it is not defended");
      assert.equal(node.answers, false);
      assert.equal(node.usedBy, formatMac(clientMac));
      assert.equal(node.hadBefore, true);
      // As after the status no longer says that it was announced.
      node.set({ armed: true });
      const freeMs = answeredMs + probeAgainMs + probeEndMs;
      assert.equal(node.announcedAt(freeMs), freeMs);
      assert.equal(node.usedBy, undefined);
    });

    test(`${family}: a device that claims the address after the time for answers does not have it withdrawn${when}`, () => {
      const node = new Node(family);
      node.set();
      node.sent(50);
      if (known) node.sent(probeEndMs);
      if (known) node.setKnown();
      node.sent(probeEndMs + lateAnswerMs + 10);
      node.receive(claimOf(family));
      assert.equal(node.usedBy, undefined);
      assert.equal(node.answers, true);
      node.setKnown({ term: 2 });
      assert.equal(node.answers, true);
    });
  }

  test(`${family}: an owner that does not announce the address does not take it over after a late answer, either`, () => {
    const node = new Node(family);
    node.set({ owners: ["n2", "n1"] });
    node.sent(probeEndMs + 100);
    node.receive(claimOf(family));
    node.set({ owners: ["n1", "n2"] });
    assert.equal(node.announcedAt(probeAgainMs), undefined);
    assert.equal(node.usedBy, formatMac(clientMac));
  });

  test(`${family}: another speaker that announces it is not another device, while probes are answered or later`, () => {
    const node = new Node(family);
    node.setPeer();
    node.set();
    node.receive(claimOf(family));
    assert.equal(node.announcedAt(probeEndMs), probeEndMs);
    node.receive(claimOf(family));
    assert.equal(node.answers, true);
    const restored = new Node(family);
    restored.setPeer();
    restored.set({}, "restored");
    assert.equal(restored.announcedAt(probeEndMs), probeEndMs);
    // Which of the two continues is left to the speakers.
    restored.receive(claimOf(family));
    assert.equal(restored.answers, true);
  });

  test(`${family}: an address that a speaker has announced before is announced at once, also while it is probed`, () => {
    const node = new Node(family);
    node.setKnown();
    assert.equal(node.announcedAt(0), 0);
    const other = new Node(family);
    other.set();
    other.sent(50);
    other.setKnown();
    assert.equal(other.announcedAt(60), 50);
  });

  test(`${family}: without its interface it is not known whether an address is free`, () => {
    const node = new Node(family, { interfaces: false });
    node.set();
    assert.equal(node.announcedAt(2000), undefined);
    node.setInterface();
    const announcedMs = node.announcedAt(3000) ?? 0;
    assert.ok(announcedMs >= 2000 + probeEndMs, String(announcedMs));
  });

  test(`${family}: an address that becomes another node's while it is probed is not announced`, () => {
    const node = new Node(family);
    node.set();
    node.sent(50);
    node.setKnown({ owners: ["n2"] });
    assert.equal(node.announcedAt(1000), undefined);
  });

  test(`${family}: an address of an earlier speaker of this node is not announced while another node has it`, () => {
    const node = new Node(family);
    node.setPeer();
    node.set({}, "restored");
    node.receive(claimOf(family));
    assert.equal(node.announcedAt(1000), undefined);
    assert.equal(node.usedBy, formatMac(clientMac));
    assert.equal(node.announcedAt(1000 + probeAgainMs + probeEndMs), probeAgainMs + probeEndMs);
  });

  test(`${family}: an announced address is defended by one announcement in ten seconds, and stays`, () => {
    const node = new Node(family);
    node.setKnown();
    node.sent(3000);
    const announcements: number[] = [];
    for (; node.clock.nowMs < 3000 + 2 * defendIntervalMs; node.clock.nowMs += 100) {
      node.receive(claimOf(family));
      const sent = node.sent(node.clock.nowMs).filter(({ what }) => what === "announcement");
      if (sent.length > 0) announcements.push(node.clock.nowMs);
    }
    assert.deepEqual(announcements, [3000, 3000 + defendIntervalMs]);
    assert.equal(node.answers, true);
  });

  test(`${family}: with yield, one announcement defends it, and it is withdrawn when the other device does not give way`, () => {
    const node = new Node(family, { onConflict: "yield" });
    node.setKnown();
    node.sent(3000);
    node.receive(claimOf(family));
    // The second form of one gratuitous ARP is not an answer to the defence.
    node.receive(claimOf(family));
    assert.equal(node.sent(3000).filter(({ what }) => what === "announcement").length, family === "IPv4" ? 2 : 1);
    assert.equal(node.answers, true);
    node.sent(5000);
    node.receive(claimOf(family));
    assert.equal(node.answers, false);
    assert.equal(node.usedBy, formatMac(clientMac));
    assert.equal(node.hadBefore, false);
    // A new list of owners changes nothing about that.
    node.setKnown({ term: 2 });
    assert.equal(node.answers, false);
    const freeMs = 5000 + probeAgainMs + probeEndMs;
    assert.equal(node.announcedAt(freeMs), freeMs);
    assert.equal(node.usedBy, undefined);
    assert.equal(node.counters.read("receiveErrors"), 0);
  });

  test(`${family}: a conflict with another speaker is left to the speakers`, () => {
    const node = new Node(family, { onConflict: "yield" });
    node.setPeer();
    node.setKnown();
    node.sent(3000);
    for (; node.clock.nowMs < 9000; node.clock.nowMs += 1000) node.receive(claimOf(family));
    assert.deepEqual(node.sent(9000), []);
    assert.equal(node.answers, true);
  });
}
