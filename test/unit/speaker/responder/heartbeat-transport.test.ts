import assert from "node:assert/strict";
import { test } from "node:test";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { HeartbeatTransport } from "../../../../speaker/responder/heartbeat-transport.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import type { Message, Question } from "../../../../src/heartbeat/messages.ts";
import { FakeUdpSockets } from "../../../../src/udp-socket/fake-udp-sockets.ts";
import { address } from "./frames.ts";

const key = new Uint8Array(32).fill(7);
const question: Question = { kind: "question", about: "n3", of: "speaker" };

class Node {
  readonly udpSockets = new FakeUdpSockets();
  readonly counters = new Counters();
  readonly failures: string[] = [];
  readonly received: (readonly [from: string, message: Message])[] = [];
  readonly transport: HeartbeatTransport;

  constructor(name: string) {
    this.transport = new HeartbeatTransport({
      node: name,
      port: 7482,
      session: name === "n1" ? 1 : 2,
      udpSockets: this.udpSockets,
      counters: this.counters,
      failed: (family, reason) => this.failures.push(`${family}: ${reason}`),
    });
  }

  peer(node: string, text: string): void {
    this.transport.setPeers([{ node, addresses: [address(text)], port: 7482, macs: [] }], 0);
  }

  /** Reads what the other one has sent. */
  receiveFrom(other: Node, nowMs: number): void {
    const [mine, theirs] = [this.udpSockets.socket("IPv4"), other.udpSockets.socket("IPv4")];
    if (mine === undefined || theirs === undefined) return;
    mine.inbox.push(...theirs.sent.splice(0).map(({ bytes }) => bytes));
    this.transport.receive(mine, nowMs, (from, message) => this.received.push([from, message]));
  }
}

/** Two nodes that have proved to each other who they are. */
function makeNodes(): readonly [Node, Node] {
  const [n1, n2] = [new Node("n1"), new Node("n2")];
  n1.peer("n2", "192.0.2.12");
  n2.peer("n1", "192.0.2.11");
  for (const node of [n1, n2]) node.transport.setKeys("cluster", [key], 0);
  for (let atMs = 0; atMs < 1_000; atMs += 100) {
    n1.transport.send("n2", question, atMs);
    n2.receiveFrom(n1, atMs);
    n2.transport.send("n1", question, atMs);
    n1.receiveFrom(n2, atMs);
  }
  return [n1, n2];
}

test("a message arrives as it was sent, once both nodes have proved themselves, and is counted", () => {
  const [n1, n2] = makeNodes();
  assert.deepEqual(n2.received.at(-1), ["n1", question]);
  const before = n2.received.length;
  n1.transport.send("n2", { kind: "question", about: "n4", of: "speaker" }, 1_000);
  n2.receiveFrom(n1, 1_000);
  assert.deepEqual(n2.received.slice(before), [["n1", { kind: "question", about: "n4", of: "speaker" }]]);
  assert.ok(n1.counters.read("heartbeatsSent") > 10);
  assert.ok(n2.counters.read("heartbeatsReceived") > 10);
});

test("without a key nothing is sent, and no socket is opened", () => {
  const node = new Node("n1");
  node.peer("n2", "192.0.2.12");
  node.transport.send("n2", question, 0);
  node.transport.open(0);
  assert.equal(node.udpSockets.sockets.length, 0);
});

test("what is not from a peer with the key is counted by reason, and tells nothing", () => {
  const [n1, n2] = makeNodes();
  n1.transport.setKeys("cluster", [new Uint8Array(32).fill(8)], 1_000);
  n1.transport.send("n2", question, 1_000);
  const before = n2.received.length;
  n2.receiveFrom(n1, 1_000);
  n2.udpSockets.socket("IPv4")?.inbox.push(new Uint8Array(40));
  n2.receiveFrom(n1, 1_000);
  assert.equal(n2.received.length, before);
  assert.equal(n2.counters.read("rejected.unknownKey"), 1);
  assert.equal(n2.counters.read("rejected.malformed"), 1);
});

test("a port that another process has is reported, and opened once it is free", () => {
  const node = new Node("n1");
  node.udpSockets.taken.add(7482);
  node.transport.setKeys("cluster", [key], 0);
  assert.equal(node.failures.length, 2);
  node.transport.open(1_000);
  assert.equal(node.failures.length, 2, "not at each turn");
  node.udpSockets.taken.clear();
  node.transport.open(5_000);
  assert.equal([...node.transport.sockets].length, 2);
});

test("a family that the node does not have is reported once, and the other one is used", () => {
  const node = new Node("n1");
  const { open } = node.udpSockets;
  node.udpSockets.open = function (family, port) {
    if (family === "IPv6") throw new BellhopError("SocketFailed", "socket failed with EAFNOSUPPORT");
    return open.call(this, family, port);
  };
  node.transport.setKeys("cluster", [key], 0);
  for (let atMs = 0; atMs < 60_000; atMs += 1_000) node.transport.open(atMs);
  assert.deepEqual(node.failures, ["IPv6: socket failed with EAFNOSUPPORT"]);
  assert.equal([...node.transport.sockets].length, 1);
});

test("a socket that breaks is closed and opened again", () => {
  const [n1] = makeNodes();
  const socket = n1.udpSockets.socket("IPv4");
  assert.ok(socket !== undefined);
  socket.broken = "ENETDOWN";
  n1.transport.receive(socket, 1_000, () => assert.fail());
  assert.equal(socket.open, false);
  n1.transport.open(6_000);
  assert.ok(n1.udpSockets.socket("IPv4") !== undefined);
});
