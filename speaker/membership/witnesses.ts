import { neverMs } from "../../src/heartbeat/messages.ts";
import type { EffectQueue } from "./effect-queue.ts";
import { ageOf, type Heartbeats } from "./heartbeats.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { Timers } from "./timers.ts";

/** How many witnesses are questioned about a peer, and how often each while its death is open. */
const maxWitnesses = 6;
const maxQuestions = 3;

/** Questions other nodes whether they hear a peer, and answers such questions. */
export class Witnesses {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #effects: EffectQueue;
  readonly #heartbeats: Heartbeats;
  /** By node: who waits for an answer about it. */
  readonly #waiting = new Map<string, Set<string>>();
  readonly #tries = new Timers<string>();

  constructor(own: OwnState, peers: Peers, effects: EffectQueue, heartbeats: Heartbeats) {
    this.#own = own;
    this.#peers = peers;
    this.#effects = effects;
    this.#heartbeats = heartbeats;
  }

  get nextDueMs(): number {
    return this.#tries.nextMs;
  }

  /** Questions some nodes that probably hear the peer: the one that vouched for it, its neighbours, and peers of this node. */
  question(peer: PeerState, suspicion: Suspicion): void {
    if (suspicion.rounds >= maxQuestions) return;
    suspicion.rounds += 1;
    for (const witness of this.#witnessesFor(peer)) {
      suspicion.asked.add(witness);
      if (!suspicion.silent.has(witness)) this.#effects.send(witness, { kind: "question", about: peer.node });
    }
  }

  answer(from: string, about: string): void {
    const { node, nowMs, timing } = this.#own;
    if (about === node) {
      this.#reply(from, about, 0, false);
      return;
    }
    const peer = this.#peers.get(about);
    if (peer?.isGone === true) {
      this.#reply(from, about, ageOf(peer.heardMs, nowMs), true);
    } else if (peer !== undefined && nowMs - peer.heardMs <= timing.heartbeatMs) {
      this.#reply(from, about, ageOf(peer.heardMs, nowMs), false);
    } else if (!this.#peers.isInDirectory(about)) {
      this.#reply(from, about, neverMs, false);
    } else {
      const waiting = this.#waiting.get(about) ?? new Set();
      this.#waiting.set(about, waiting.add(from));
      if (this.#tries.has(about)) return;
      this.#tries.set(about, nowMs + timing.tryMs);
      this.#heartbeats.send(this.#peers.ensure(about), true);
    }
  }

  /** The node was heard. */
  heard(node: string): void {
    if (this.#waiting.size > 0) this.#replyToAll(node, 0, false);
  }

  /** Sends the answers that are due. */
  advance(): void {
    const { nowMs } = this.#own;
    for (const about of this.#tries.takeAllDue(nowMs)) {
      this.#replyToAll(about, ageOf(this.#peers.get(about)?.heardMs ?? Number.NEGATIVE_INFINITY, nowMs), true);
    }
  }

  /** The thread did not run: what it did not hear does not count. */
  forgetQuestions(): void {
    for (const about of this.#waiting.keys()) this.#tries.delete(about);
    this.#waiting.clear();
  }

  #witnessesFor(peer: PeerState): ReadonlySet<string> {
    const { node, nowMs, timing } = this.#own;
    const witnesses = new Set<string>();
    const add = (name: string | undefined): void => {
      if (name === undefined || name === node || name === peer.node || witnesses.size >= maxWitnesses) return;
      if (this.#peers.get(name)?.isGone !== true && this.#peers.isInDirectory(name)) witnesses.add(name);
    };
    add(peer.voucher);
    for (const neighbour of this.#peers.neighboursOf(peer.node)) add(neighbour);
    for (const other of this.#peers.active) {
      if (witnesses.size >= maxWitnesses) break;
      if (nowMs - other.heardMs <= 2 * timing.heartbeatMs) add(other.node);
    }
    return witnesses;
  }

  #replyToAll(about: string, silentMs: number, tried: boolean): void {
    const waiting = this.#waiting.get(about);
    if (waiting === undefined) return;
    this.#waiting.delete(about);
    this.#tries.delete(about);
    for (const to of waiting) this.#reply(to, about, silentMs, tried);
  }

  #reply(to: string, about: string, silentMs: number, tried: boolean): void {
    this.#effects.send(to, { kind: "answer", about, silentMs, tried });
  }
}
