import assert from "node:assert/strict";
import { HeartbeatKey } from "../../../../src/heartbeat/heartbeat-key.ts";
import { type Opened, type Rejected, SealedChannel } from "../../../../src/heartbeat/sealed-channel.ts";

export const cluster = "8a4f0c1e-0000-4000-8000-000000000001";
/** A key that is another one for each number. */
export const key = (fill: number): HeartbeatKey => new HeartbeatKey(new Uint8Array(32).fill(fill));
let sessions = 1_000;

/** A number that no session has had yet. */
export function nextSession(): number {
  return ++sessions;
}

/** The speaker of one node, without its socket. */
export class Node {
  readonly name: string;
  readonly cluster: string;
  channel: SealedChannel;

  constructor(name: string, { keys = [key(1)], cluster: uid = cluster, peers = ["n1", "n2", "n3"] } = {}) {
    this.name = name;
    this.cluster = uid;
    this.channel = this.restart(keys, peers);
  }

  restart(keys: readonly HeartbeatKey[] = [key(1)], peers: readonly string[] = ["n1", "n2", "n3"]): SealedChannel {
    this.channel = new SealedChannel({ node: this.name, cluster: this.cluster, session: nextSession() });
    this.channel.setKeys(keys);
    this.channel.setPeers(peers, 0);
    return this.channel;
  }

  seal(to: Node, payload: string, nowMs: number): Uint8Array {
    return Uint8Array.from(this.channel.seal(to.name, Buffer.from(payload), nowMs) ?? assert.fail("not sealed"));
  }

  open(packet: Uint8Array, nowMs: number): Opened | Rejected {
    return this.channel.open(packet, nowMs);
  }

  /** What becomes of a packet: `opened`, or why not. */
  resultOf(packet: Uint8Array, nowMs: number): string {
    const result = this.open(packet, nowMs);
    return result.kind === "opened" ? "opened" : result.reason;
  }
}

/** Sends a packet, and the answers that follow from it; returns how many there were. */
export function exchange(from: Node, to: Node, nowMs: number, payload = ""): number {
  let packet = from.seal(to, payload, nowMs);
  for (let answers = 0, [sender, receiver] = [from, to]; ; answers++, [sender, receiver] = [receiver, sender]) {
    if (!receiver.open(packet, nowMs).answer) return answers;
    packet = Uint8Array.from(receiver.channel.sealAnswer(sender.name, nowMs) ?? assert.fail("no answer"));
  }
}

/** Two nodes that hear each other. */
export function pair(): readonly [Node, Node] {
  const [one, two] = [new Node("n1"), new Node("n2")];
  exchange(one, two, 0);
  return [one, two];
}
