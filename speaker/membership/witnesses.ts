import { neverMs, type Question, type QuestionSubject } from "../../src/heartbeat/messages.ts";
import type { EffectQueue } from "./effect-queue.ts";
import { ageOf, type Heartbeats } from "./heartbeats.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { Timers } from "./timers.ts";
import { suspectedAfter } from "./timing.ts";

/** How many witnesses are questioned about a peer, and how often each while its death is open. */
const maxWitnesses = 6;
const maxQuestions = 3;

/** A question that waits for its answer. */
interface Waiting {
  readonly about: string;
  readonly of: QuestionSubject;
  readonly askers: Set<string>;
}

function keyOf(about: string, of: QuestionSubject): string {
  return `${of} ${about}`;
}

/** Questions other nodes whether they hear a peer, or its kernel, and answers such questions. */
export class Witnesses {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #effects: EffectQueue;
  readonly #heartbeats: Heartbeats;
  /** By subject and node. */
  readonly #waiting = new Map<string, Waiting>();
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
      if (!suspicion.silent.has(witness))
        this.#effects.send(witness, { kind: "question", about: peer.node, of: "speaker" });
    }
  }

  /** Asks the same nodes whether its kernel answers them. Returns which ones. */
  questionKernel(peer: PeerState): ReadonlySet<string> {
    const witnesses = this.#witnessesFor(peer);
    for (const witness of witnesses) this.#effects.send(witness, { kind: "question", about: peer.node, of: "kernel" });
    return witnesses;
  }

  /** Asks the same nodes whether its programs answer them. Returns which ones. */
  questionPrograms(peer: PeerState): ReadonlySet<string> {
    const witnesses = this.#witnessesFor(peer);
    for (const witness of witnesses)
      this.#effects.send(witness, { kind: "question", about: peer.node, of: "programs" });
    return witnesses;
  }

  /** Another peer is alive. */
  hasOther(peer: PeerState): boolean {
    for (const other of this.#peers.active) if (other !== peer && other.isAlive) return true;
    return false;
  }

  /** Another peer was heard since then. */
  hearsOther(peer: PeerState, sinceMs: number): boolean {
    for (const other of this.#peers.active) if (other !== peer && other.heardMs > sinceMs) return true;
    return false;
  }

  /** When another peer heard this node for the last time, as far as its heartbeats say; -Infinity: none did. */
  heardByOtherMs(peer: PeerState): number {
    let latestMs = Number.NEGATIVE_INFINITY;
    for (const other of this.#peers.active) {
      if (other === peer || other.beat === undefined || other.beat.heardMs === neverMs) continue;
      latestMs = Math.max(latestMs, other.beatMs - other.beat.heardMs);
    }
    return latestMs;
  }

  answer(from: string, { about, of }: Question): void {
    const { node, nowMs, timing } = this.#own;
    if (about === node || !this.#peers.isInDirectory(about)) {
      this.#reply(from, about, of, about === node ? 0 : neverMs, false);
      return;
    }
    const peer = this.#peers.ensure(about);
    if (of === "kernel") {
      if (!peer.onLan) this.#reply(from, about, of, neverMs, false);
      else if (this.#wait(from, about, of)) this.#effects.add({ kind: "askNode", node: about });
    } else if (peer.isGone) {
      this.#reply(from, about, of, ageOf(peer.heardMs, nowMs), true);
    } else if (nowMs - peer.heardMs <= timing.heartbeatMs) {
      this.#reply(from, about, of, ageOf(peer.heardMs, nowMs), false);
    } else if (this.#wait(from, about, of)) {
      this.#heartbeats.send(peer, true);
    }
  }

  /** The node was heard. */
  heard(node: string): void {
    this.#found(node, "speaker");
  }

  /** The kernel of the node answered. */
  nodeAnswered(node: string): void {
    this.#found(node, "kernel");
  }

  /** Sends the answers that are due. */
  advance(): void {
    const { nowMs } = this.#own;
    for (const key of this.#tries.takeAllDue(nowMs)) {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) continue;
      const heardMs = this.#peers.get(waiting.about)?.heardMs ?? Number.NEGATIVE_INFINITY;
      // Since when its kernel is silent is not known, and does not matter.
      this.#replyToAll(key, waiting.of === "kernel" ? neverMs - 1 : ageOf(heardMs, nowMs), true);
    }
  }

  /** The thread did not run: what it did not hear does not count. */
  forgetQuestions(): void {
    for (const key of this.#waiting.keys()) this.#tries.delete(key);
    this.#waiting.clear();
  }

  /** The asker waits. Returns whether it is the first one, so that the node is to be tried. */
  #wait(from: string, about: string, of: QuestionSubject): boolean {
    const { nowMs, timing } = this.#own;
    const key = keyOf(about, of);
    const waiting = this.#waiting.get(key) ?? { about, of, askers: new Set() };
    waiting.askers.add(from);
    this.#waiting.set(key, waiting);
    if (this.#tries.has(key)) return false;
    this.#tries.set(key, nowMs + timing.tryMs);
    return true;
  }

  #found(about: string, of: QuestionSubject): void {
    if (this.#waiting.size > 0) this.#replyToAll(keyOf(about, of), 0, false);
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

  #replyToAll(key: string, silentMs: number, tried: boolean): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    this.#tries.delete(key);
    const { about, of, askers } = waiting;
    for (const to of askers) this.#reply(to, about, of, silentMs, tried);
  }

  #reply(to: string, about: string, of: QuestionSubject, silentMs: number, tried: boolean): void {
    const peer = of === "speaker" ? this.#peers.get(about) : undefined;
    const isRecent = peer?.isAlive === true && peer.hasBeat(suspectedAfter, this.#own);
    const word = isRecent && peer.beat !== undefined ? { onlyAsFirst: peer.beat.onlyAsFirst } : {};
    this.#effects.send(to, { kind: "answer", about, of, silentMs, tried, ...word });
  }
}
