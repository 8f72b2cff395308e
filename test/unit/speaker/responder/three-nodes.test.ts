import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../../../speaker/membership/effects.ts";
import type { Hearing } from "../../../../speaker/membership/hearing.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { ResponderReport } from "../../../../speaker/responder/commands.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { HeartbeatTransport } from "../../../../speaker/responder/heartbeat-transport.ts";
import { ResponderLoop } from "../../../../speaker/responder/loop.ts";
import { respond } from "../../../../speaker/responder/respond.ts";
import type { Stake } from "../../../../speaker/responder/stake.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { equalBytes } from "../../../../src/packet/mac.ts";
import { FakePacketSockets } from "../../../../src/packet-socket/fake-packet-sockets.ts";
import { FakeUdpSockets } from "../../../../src/udp-socket/fake-udp-sockets.ts";
import { udpDestination } from "../../../../src/udp-socket/socket-address.ts";
import { address, arpRequest, mac } from "./frames.ts";

const vip = "192.0.2.200";
const key = new Uint8Array(32).fill(7);
/** How long a kubelet may take to answer. */
const kubeletTimeoutMs = 400;
/** Between two turns of each thread. */
const stepMs = 5;

/** The thread of one node, with the kernel of the node beside it, which answers for its address. */
class Node {
  readonly name: string;
  readonly ip: string;
  readonly mac: Uint8Array;
  readonly packetSockets = new FakePacketSockets("eth0");
  readonly udpSockets = new FakeUdpSockets();
  readonly facts: Fact[] = [];
  hearing: Hearing | undefined;
  readonly loop: ResponderLoop;
  /** Off: neither its thread nor its kernel does anything. */
  power = true;
  /** Its thread does nothing, and its kernel does. */
  frozen = false;
  /** While it is frozen, its kubelet is not. */
  hasKubelet = false;
  /** Connections to kubelets that its thread has required. */
  readonly asked: { readonly node: string; readonly askedMs: number; readonly dueMs: number }[] = [];
  /** Without it the thread falls silent, and the heartbeats continue. */
  hasMainThread = true;

  constructor(index: number, now: () => number) {
    this.name = `n${index}`;
    this.ip = `192.0.2.1${index}`;
    this.mac = mac(`02:00:00:00:00:0${index}`);
    const counters = new Counters();
    this.loop = new ResponderLoop({
      membership: new Membership({
        node: this.name,
        session: index,
        incarnation: 1,
        timing: timingFor(),
        nowMs: now(),
      }),
      transport: new HeartbeatTransport({
        node: this.name,
        port: 7482,
        session: index,
        udpSockets: this.udpSockets,
        counters,
        failed: (_, reason) => assert.fail(reason),
      }),
      onConflict: "defend",
      packetSockets: this.packetSockets,
      now,
      random: () => 0.5,
      counters,
      watchdog: { alive: () => this.hasMainThread },
      report: (report: ResponderReport) => {
        if (report.kind === "facts") this.facts.push(...report.facts);
        if (report.kind === "askPrograms") this.asked.push({ ...report, dueMs: now() + kubeletTimeoutMs });
        if (report.kind === "hearing") this.hearing = report.hearing;
      },
    });
  }

  /** Whether it answers a client that asks for the address. */
  get answers(): boolean {
    if (!this.power) return false;
    const socket = this.packetSockets.socket("eth0", "arp");
    if (socket === undefined) return false;
    socket.sent.length = 0;
    socket.inbox.push(arpRequest(vip));
    this.loop.turn();
    return socket.sent.some(
      (frame) => equalBytes(frame.subarray(28, 32), address(vip)) && frame[21] === 2 && frame[0] !== 0xff,
    );
  }
}

class Lan {
  nowMs = 0;
  readonly nodes: readonly Node[];

  constructor() {
    this.nodes = [1, 2, 3].map((index) => new Node(index, () => this.nowMs));
    for (const node of this.nodes) {
      const others = this.nodes.filter((other) => other !== node);
      const peers = others.map(({ name, ip, mac: own }) => ({
        node: name,
        addresses: [address(ip)],
        port: 7482,
        macs: [own],
      }));
      const source = address(node.ip);
      const probes = others.map(
        ({ name, ip }) => [name, { interfaceName: "eth0", target: address(ip), source }] as const,
      );
      node.loop.apply({ kind: "setInterface", name: "eth0", index: 2, mac: node.mac });
      node.loop.apply({ kind: "setPeers", peers, probes: { gateways: [], nodes: new Map(probes) } });
      node.loop.apply({ kind: "setKeys", cluster: "c", keys: [key] });
    }
  }

  setStake(owners: readonly string[], term: number): void {
    for (const node of this.nodes) {
      const common = { createdSeconds: 1, armed: true, interfaces: ["eth0"] };
      const stake: Stake = { address: vip, bytes: address(vip), family: "IPv4", owners, term, ...common };
      node.loop.apply({ kind: "setStake", stake, probe: undefined });
    }
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += stepMs;
      for (const node of this.nodes) {
        if (!node.power || node.frozen) continue;
        this.#askKubelets(node);
        node.loop.turn();
      }
      this.#deliver();
    }
  }

  /** Which nodes answer. */
  get answering(): readonly string[] {
    return this.nodes.filter((node) => !node.frozen && node.answers).map(({ name }) => name);
  }

  #askKubelets({ asked, loop }: Node): void {
    for (const { node, askedMs } of asked.filter(({ dueMs }) => dueMs <= this.nowMs)) {
      const to = this.nodes.find(({ name }) => name === node);
      const accepted = to?.frozen === true && !to.hasKubelet ? "silent" : "answered";
      loop.apply({ kind: "programsAnswered", node, askedMs, answer: to?.power === true ? accepted : "unknown" });
    }
    asked.splice(0, asked.findLastIndex(({ dueMs }) => dueMs <= this.nowMs) + 1);
  }

  #deliver(): void {
    for (const from of this.nodes) {
      for (const { bytes, to } of from.udpSockets.socket("IPv4")?.sent.splice(0) ?? []) {
        for (const other of this.nodes) {
          const parsed = parseAddress(other.ip);
          if (parsed === undefined || !other.power || !from.power) continue;
          if (equalBytes(udpDestination(parsed, 7482).socketAddress, to.socketAddress))
            other.udpSockets.socket("IPv4")?.inbox.push(bytes);
        }
      }
      for (const frame of from.packetSockets.socket("eth0", "arp")?.sent.splice(0) ?? []) {
        for (const other of this.nodes)
          if (other !== from && other.power && from.power) this.#receive(other, from, frame);
      }
    }
  }

  #receive(node: Node, from: Node, frame: Uint8Array): void {
    node.packetSockets.socket("eth0", "arp")?.inbox.push(frame);
    const own = address(node.ip);
    const reply = respond(frame, { mac: node.mac, has: (other) => equalBytes(other, own), isOurs: () => false });
    if (typeof reply === "string" || reply.kind !== "reply") return;
    from.packetSockets.socket("eth0", "arp")?.inbox.push(reply.frame);
  }
}

function causeOf(node: Node | undefined): readonly unknown[] {
  return (node?.facts ?? []).flatMap((fact) =>
    fact.kind === "holding" ? [[fact.cause, fact.from, fact.claim.term]] : [],
  );
}

function holding(): Lan {
  const lan = new Lan();
  lan.setStake(["n1", "n2", "n3"], 1);
  lan.run(1_000);
  assert.deepEqual(lan.answering, ["n1"]);
  return lan;
}

test("the first owner announces, and when its power is cut, the second one within 300 ms", () => {
  const lan = holding();
  const [n1, n2] = lan.nodes;
  assert.ok(n1 !== undefined);
  n1.power = false;
  lan.run(300);
  assert.deepEqual(lan.answering, ["n2"]);
  assert.deepEqual(causeOf(n2), [["PeerDead", "n1", 1]]);
  assert.deepEqual(n2?.hearing, { heard: ["n3"], lost: ["n1"] });
  const died = n2?.facts.filter((fact) => fact.kind === "peerDown");
  assert.deepEqual(died?.at(-1), { kind: "peerDown", node: "n1", nodeDead: true });
});

test("a node that was frozen and wakes up leaves the address to the one that took it over", () => {
  const lan = holding();
  const [n1] = lan.nodes;
  assert.ok(n1 !== undefined);
  n1.frozen = true;
  lan.run(1_000);
  assert.deepEqual(lan.answering, ["n2"]);
  n1.frozen = false;
  lan.run(1_000);
  assert.deepEqual(lan.answering, ["n2"], "it is not moved back without need");
});

test("a node of which nothing runs counts as frozen within a second, and one whose kubelet runs does not", () => {
  for (const hasKubelet of [false, true]) {
    const lan = holding();
    const [n1, ...others] = lan.nodes;
    assert.ok(n1 !== undefined);
    n1.frozen = true;
    n1.hasKubelet = hasKubelet;
    lan.run(850);
    const last = hasKubelet ? { nodeDead: false } : { nodeDead: true, frozen: true };
    for (const { facts } of others)
      assert.deepEqual(
        facts.findLast(({ kind }) => kind === "peerDown"),
        { kind: "peerDown", node: "n1", ...last },
      );
    n1.frozen = false;
    lan.run(1_000);
    for (const { facts } of others)
      assert.deepEqual(
        facts.findLast(({ kind }) => kind === "peerDown" || kind === "peerUp"),
        { kind: "peerUp", node: "n1" },
      );
  }
});

test("a node whose main thread is gone falls silent, and another one takes over", () => {
  const lan = holding();
  const [n1] = lan.nodes;
  assert.ok(n1 !== undefined);
  n1.hasMainThread = false;
  lan.run(500);
  assert.deepEqual(lan.answering, ["n2"]);
  n1.hasMainThread = true;
  lan.run(1_000);
  assert.deepEqual(lan.answering, ["n2"], "it is not moved back without need");
});

test("a new list of owners moves the address, and the one before answers until the next one does", () => {
  const lan = holding();
  lan.setStake(["n3", "n1", "n2"], 2);
  for (let ms = 0; ms < 500; ms += stepMs) {
    lan.run(stepMs);
    assert.ok(lan.answering.length >= 1, `no node answers after ${ms} ms`);
  }
  assert.deepEqual(lan.answering, ["n3"]);
  assert.deepEqual(causeOf(lan.nodes[2]), [["Planned", "n1", 2]]);
  assert.deepEqual(lan.nodes[0]?.facts.at(-1)?.kind, "holder");
});

test("a node that leaves is followed before it stops, and may then end", () => {
  const lan = holding();
  const [n1, n2] = lan.nodes;
  n1?.loop.apply({ kind: "leave", intent: "leave" });
  for (let ms = 0; ms < 500; ms += stepMs) {
    lan.run(stepMs);
    assert.ok(lan.answering.length >= 1, `no node answers after ${ms} ms`);
  }
  assert.deepEqual(lan.answering, ["n2"]);
  assert.deepEqual(causeOf(n2), [["PeerLeft", "n1", 1]]);
  assert.ok(n1?.facts.some((fact) => fact.kind === "leaveDone"));
});

test("the addresses of a node that restarts are left alone for seconds, and then taken over", () => {
  const lan = holding();
  const [n1, n2] = lan.nodes;
  assert.ok(n1 !== undefined);
  n1.loop.apply({ kind: "leave", intent: "restart" });
  lan.run(100);
  assert.ok(n1.facts.some((fact) => fact.kind === "leaveDone"));
  assert.deepEqual(lan.answering, ["n1"], "it answers until it ends");
  n1.power = false;
  lan.run(4_000);
  assert.deepEqual(lan.answering, []);
  lan.run(2_000);
  assert.deepEqual(lan.answering, ["n2"]);
  assert.deepEqual(causeOf(n2).length, 1);
});

test("a node that hears nothing from its start announces what others own as well when a client looks for it", () => {
  const lan = new Lan();
  const [node] = lan.nodes;
  assert.ok(node !== undefined);
  for (const other of lan.nodes) other.power = other === node;
  // It knows no peer and no gateway: nothing but the addresses of its stakes can be asked about.
  node.loop.apply({ kind: "setPeers", peers: [], probes: { gateways: [], nodes: new Map() } });
  lan.setStake(["n1", "n2"], 1);
  lan.run(5000);
  const announces = (): boolean => node.facts.some(({ kind }) => kind === "holding");
  assert.equal(announces(), false);
  assert.equal(node.answers, false, "a client asks");
  lan.run(500);
  assert.equal(announces(), true);
  assert.equal(node.answers, true);
});
