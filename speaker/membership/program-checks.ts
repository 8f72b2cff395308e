import { type Answer, neverMs, type Question } from "../../src/heartbeat/messages.ts";
import { Confirmation } from "./confirmation.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { ProgramsAnswer } from "./inputs.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { Timers } from "./timers.ts";
import type { Witnesses } from "./witnesses.ts";

/** Between two connections while it is open whether programs run there. Each waits longer than this; they overlap. */
const againMs = 150;

/** How many are opened in quick succession. */
const urgentConnections = 4;

/** How many in a row must stay silent, where another node has seen the same or none was asked. */
const silentLimit = 2;

/** How many it takes where other nodes were asked, and none has confirmed it. */
const unconfirmedLimit = 4;

/** Between two connections while programs answer, and while it is known that they do not: what is opened then waits in a queue of the kernel there. */
const atRestMs = 2000;
const frozenRestMs = 10_000;

/** The result of a connection arrives within this time, or never. */
const resultWithinMs = 1000;

export interface ProgramChecksParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly effects: EffectQueue;
  readonly witnesses: Witnesses;
  readonly notices: NoticeBoard;
  /** No program on the node of the peer, which is dead, answers this node or others. */
  readonly frozen: (peer: PeerState) => void;
  /** They answer again, and the speaker is not heard yet. */
  readonly thawed: (peer: PeerState) => void;
}

interface Check {
  readonly peer: PeerState;
  /** What was opened before does not count. */
  sinceMs: number;
  silent: number;
  /** How many connections are still to be opened in quick succession. */
  urgent: number;
  readonly confirmation: Confirmation;
}

/** The newest connection to a node, and who waits for what it shows. */
interface Connection {
  readonly askedMs: number;
  isOpen: boolean;
  readonly askers: Set<string>;
}

/**
 * Asks the kubelet of a silent peer whose kernel answers: if it says nothing either, it is not the speaker alone that does not run. The pods there
 * would accept connections, and never answer.
 */
export class ProgramChecks {
  readonly #parts: ProgramChecksParts;
  readonly #checks = new Map<string, Check>();
  readonly #connections = new Map<string, Connection>();
  readonly #due = new Timers<string>();

  constructor(parts: ProgramChecksParts) {
    this.#parts = parts;
  }

  get nextDueMs(): number {
    return this.#due.nextMs;
  }

  /** Begins or ends, if the state of the peer requires it. */
  watch(peer: PeerState): void {
    const { node } = peer;
    if (!this.#needsCheck(peer)) {
      this.#checks.delete(node);
      return;
    }
    const check = this.#checks.get(node);
    if (check?.peer === peer) {
      // What was silent until it counted as frozen does not count once another node says that it no longer is.
      if (this.#isFrozen(peer)) this.#restart(check);
      else this.#judge(check);
      return;
    }
    const { nowMs } = this.#parts.own;
    this.#checks.set(node, {
      peer,
      sinceMs: nowMs,
      silent: 0,
      urgent: urgentConnections,
      confirmation: new Confirmation(),
    });
    this.#due.set(node, Math.max(nowMs, (this.#connections.get(node)?.askedMs ?? 0) + againMs));
  }

  /** `askedMs`: when the connection was required. */
  answered(node: string, askedMs: number, answer: ProgramsAnswer): void {
    this.#answerAskers(node, answer);
    const check = this.#checks.get(node);
    if (check === undefined) return;
    if (answer === "answered") this.#rest(check);
    else if (askedMs < check.sinceMs || this.#isFrozen(check.peer)) return;
    else if (answer === "silent") this.#countSilence(check);
    // Nothing accepts connections: so programs did not hang before it either.
    else check.silent = 0;
  }

  witnessAnswered(from: string, answer: Answer): void {
    const check = this.#checks.get(answer.about);
    const found = check?.confirmation.answered(from, answer);
    if (check === undefined || found === undefined) return;
    if (found === "answer") this.#rest(check);
    else this.#judge(check);
  }

  /** Another node asks. A connection that is open already answers it, too. */
  questioned(from: string, { about }: Question): void {
    const { own, peers } = this.#parts;
    if (about === own.node || !peers.isInDirectory(about)) {
      this.#reply(from, about, about === own.node ? "answered" : "unknown");
      return;
    }
    const open = this.#connections.get(about);
    if (open?.isOpen !== true || own.nowMs >= open.askedMs + resultWithinMs) this.#open(about);
    this.#connections.get(about)?.askers.add(from);
  }

  /** The thread did not run, or the node was cut off: what was silent until now does not count. */
  grantGrace(): void {
    for (const check of this.#checks.values()) this.#restart(check);
  }

  advance(): void {
    for (const node of this.#due.takeAllDue(this.#parts.own.nowMs)) {
      const check = this.#checks.get(node);
      if (check === undefined) continue;
      if (this.#needsCheck(check.peer)) this.#ask(check);
      else this.#checks.delete(node);
    }
  }

  #ask(check: Check): void {
    const { own, witnesses } = this.#parts;
    const { peer } = check;
    const isFrozen = this.#isFrozen(peer);
    this.#open(peer.node);
    // At rest no other node is needed: a connection that is silent makes it urgent again.
    const needsWitness = !isFrozen && !check.confirmation.isConfirmed && check.urgent > 0;
    check.urgent = Math.max(check.urgent - 1, 0);
    if (needsWitness) check.confirmation.asked(witnesses.questionPrograms(peer));
    const restMs = isFrozen ? frozenRestMs : atRestMs;
    this.#due.set(peer.node, own.nowMs + (check.urgent > 0 && !isFrozen ? againMs : restMs));
  }

  #open(node: string): void {
    const { own, effects } = this.#parts;
    const { nowMs } = own;
    for (const [other, { askedMs }] of this.#connections)
      if (other !== node && nowMs >= askedMs + resultWithinMs) this.#connections.delete(other);
    const askers = this.#connections.get(node)?.askers ?? new Set();
    this.#connections.set(node, { askedMs: nowMs, isOpen: true, askers });
    effects.add({ kind: "askPrograms", node, askedMs: nowMs });
  }

  #countSilence(check: Check): void {
    check.silent += 1;
    const { peer } = check;
    if (check.urgent === 0 && check.silent < unconfirmedLimit) {
      check.urgent = 1;
      this.#due.setEarlier(peer.node, this.#parts.own.nowMs + againMs);
    }
    this.#judge(check);
  }

  #judge(check: Check): void {
    const { peer, silent, confirmation } = check;
    if (peer.status !== "dead" || this.#isFrozen(peer) || silent < silentLimit) return;
    if (confirmation.suffices(silent, unconfirmedLimit)) this.#parts.frozen(peer);
  }

  /** A program there has answered this node or another one. */
  #rest(check: Check): void {
    const { peer } = check;
    this.#restart(check);
    check.urgent = 0;
    this.#due.set(peer.node, this.#parts.own.nowMs + atRestMs);
    if (this.#isFrozen(peer)) this.#parts.thawed(peer);
  }

  #restart(check: Check): void {
    check.sinceMs = this.#parts.own.nowMs;
    check.silent = 0;
    check.confirmation.clear();
  }

  #answerAskers(node: string, answer: ProgramsAnswer): void {
    const connection = this.#connections.get(node);
    if (connection === undefined) return;
    connection.isOpen = false;
    for (const to of connection.askers) this.#reply(to, node, answer);
    connection.askers.clear();
  }

  #reply(to: string, about: string, answer: ProgramsAnswer): void {
    // Since when they are silent is not known, and does not matter.
    const silentMs = { answered: 0, silent: neverMs - 1, unknown: neverMs }[answer];
    this.#parts.effects.send(to, { kind: "answer", about, of: "programs", silentMs, tried: answer === "silent" });
  }

  #isFrozen({ node }: PeerState): boolean {
    return this.#parts.notices.get(node)?.state === "frozen";
  }

  /** Whether it is only its speaker that is known to be silent. */
  #needsCheck({ node, isOfInterest, status, isAlive, suspicion }: PeerState): boolean {
    if (!isOfInterest) return false;
    if (isAlive) return suspicion?.nodeAnswered === true;
    const state = this.#parts.notices.get(node)?.state;
    return status === "dead" && (state === "speakerDown" || state === "frozen");
  }
}
