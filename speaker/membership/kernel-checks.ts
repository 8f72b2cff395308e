import type { Answer } from "../../src/heartbeat/messages.ts";
import { Confirmation } from "./confirmation.ts";
import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import { Timers } from "./timers.ts";
import type { Witnesses } from "./witnesses.ts";

/** Between two requests to the kernel of a peer that answered the last one. */
const atRestMs = 1000;

/** How many requests in a row stay unanswered before the kernel counts as silent. */
const unansweredLimit = 5;

/** How many it takes where other nodes were questioned, and none has confirmed that the kernel is silent. */
const unconfirmedLimit = 10;

/** How many are sent in quick succession after the first that is not answered. */
const urgentRequests = 20;

/** A request counts if others heard this node within so many intervals after it. */
const provenWithin = 3;

export interface KernelChecksParts {
  readonly own: OwnState;
  readonly effects: EffectQueue;
  readonly witnesses: Witnesses;
  readonly connection: Connection;
  readonly notices: NoticeBoard;
  /** The kernel of the peer answers neither this node nor others. `answeredBefore`: this node has seen it answer since its speaker died. */
  readonly silent: (peer: PeerState, answeredBefore: boolean) => void;
  readonly answered: (peer: PeerState) => void;
}

interface Check {
  readonly peer: PeerState;
  /** How many requests were sent since the last answer. */
  unanswered: number;
  /** When those were sent of which it is not known yet whether this node was connected. */
  open: number[];
  /** How many were sent while it was: others have heard it a moment later. */
  arrived: number;
  answeredBefore: boolean;
  readonly confirmation: Confirmation;
}

/**
 * Asks the kernels of peers by ARP or NDP where heartbeats do not say whether they receive anything: those of peers that are dead, of peers
 * that say that they hear nothing, and of peers that have left while nothing arrived there.
 */
export class KernelChecks {
  readonly #parts: KernelChecksParts;
  readonly #checks = new Map<string, Check>();
  readonly #due = new Timers<string>();

  constructor(parts: KernelChecksParts) {
    this.#parts = parts;
  }

  get nextDueMs(): number {
    return this.#due.nextMs;
  }

  /** Begins, if the state of the peer requires it. `answeredBefore`: the kernel answered while the peer was suspected. */
  watch(peer: PeerState, answeredBefore = false): void {
    if (!needsCheck(peer) || this.#checks.get(peer.node)?.peer === peer) return;
    const { nowMs } = this.#parts.own;
    this.#checks.set(peer.node, {
      peer,
      unanswered: 0,
      open: [],
      arrived: 0,
      answeredBefore,
      confirmation: new Confirmation(),
    });
    this.#due.set(peer.node, peer.isAlive ? nowMs : nowMs + atRestMs);
  }

  nodeAnswered(node: string): void {
    const check = this.#checks.get(node);
    if (check === undefined) return;
    check.answeredBefore = true;
    this.#rest(check);
    this.#parts.answered(check.peer);
  }

  witnessAnswered(from: string, answer: Answer): void {
    const check = this.#checks.get(answer.about);
    if (check?.confirmation.answered(from, answer) === "answer") this.#rest(check);
  }

  /** The thread did not run, or the node was cut off: what did not answer until now does not count. */
  grantGrace(): void {
    for (const check of this.#checks.values()) this.#rest(check);
  }

  advance(): void {
    for (const node of this.#due.takeAllDue(this.#parts.own.nowMs)) {
      const check = this.#checks.get(node);
      if (check === undefined) continue;
      if (needsCheck(check.peer)) this.#ask(check);
      else this.#checks.delete(node);
    }
  }

  #ask(check: Check): void {
    const { own, effects, witnesses, connection, notices, silent } = this.#parts;
    const { peer } = check;
    const { nowMs, timing } = own;
    // That of a frozen node has answered, and may fall silent later.
    const isKnown = peer.isUnreachable || (peer.nodeDead && notices.get(peer.node)?.state !== "frozen");
    this.#countArrived(check);
    // What was silent until it is known does not count once another node says that the kernel answers again.
    if (isKnown) forgetSilence(check);
    if (!isKnown && isSilent(check)) silent(peer, check.answeredBefore);
    const isOpen = !isKnown && check.unanswered < urgentRequests;
    check.unanswered += 1;
    check.open.push(nowMs);
    effects.add({ kind: "askNode", node: peer.node });
    connection.ask();
    if (isOpen && check.unanswered > 1) check.confirmation.asked(witnesses.questionKernel(peer));
    this.#due.set(peer.node, nowMs + (isOpen ? timing.heartbeatMs / 2 : atRestMs));
  }

  /** What is sent while this node is perhaps cut off says nothing about the peer. */
  #countArrived(check: Check): void {
    const { own, connection, witnesses } = this.#parts;
    const { peer } = check;
    const withinMs = provenWithin * own.timing.heartbeatMs;
    const isAlone = !connection.hadGateway && !witnesses.hasOther(peer);
    const heardMs = isAlone ? connection.lanMs : Math.max(connection.gatewayMs, witnesses.heardByOtherMs(peer));
    check.arrived += check.open.filter((sentMs) => sentMs <= heardMs && heardMs <= sentMs + withinMs).length;
    check.open = check.open.filter((sentMs) => sentMs > heardMs && own.nowMs <= sentMs + 2 * withinMs);
  }

  /** The kernel answered this node or another one. */
  #rest(check: Check): void {
    forgetSilence(check);
    this.#due.set(check.peer.node, this.#parts.own.nowMs + atRestMs);
  }
}

function forgetSilence(check: Check): void {
  check.unanswered = 0;
  check.open = [];
  check.arrived = 0;
  check.confirmation.clear();
}

function isSilent({ arrived, confirmation }: Check): boolean {
  return arrived >= unansweredLimit && confirmation.suffices(arrived, unconfirmedLimit);
}

/** Whether the kernel of the peer is to be asked. */
function needsCheck({ onLan, isOfInterest, status, isAlive, beat, isUnreachable, nodeDead }: PeerState): boolean {
  if (!onLan || !isOfInterest) return false;
  return (
    status === "dead" || (status === "left" && nodeDead) || (isAlive && (isUnreachable || beat?.isolated === true))
  );
}
