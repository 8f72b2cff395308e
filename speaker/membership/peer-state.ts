import type { Heartbeat, Notice } from "../../src/heartbeat/messages.ts";
import type { OwnState } from "./own-state.ts";
import { SentClaims } from "./sent-claims.ts";

export type PeerStatus =
  /** Nothing was heard of it, or about it. */
  | "unheard"
  | "alive"
  | "dead"
  /** It said that it leaves. */
  | "left";

/** What is known while a peer is silent. */
export interface Suspicion {
  readonly sinceMs: number;
  /** Nodes that were questioned, those of them that have answered, and those that do not hear it either. */
  readonly asked: Set<string>;
  readonly answered: Set<string>;
  readonly silent: Set<string>;
  /** How many times they were questioned. */
  rounds: number;
  /** How many times its kernel was sent a request, and whether it answered. */
  nodeAsked: number;
  nodeAnswered: boolean;
  /** Another node counts it as dead already. */
  accused: Notice | undefined;
  /** When it was tried for the last time; -Infinity: not yet. */
  triedMs: number;
  /** Its death was put off once, to read first what had arrived. */
  isPutOff: boolean;
}

/** What this node knows of one other node. */
export class PeerState {
  readonly node: string;
  /** Its speaker sends heartbeats, as its SpeakerIdentity says: messages to it have an address. */
  isInDirectory = false;
  onLan = false;
  /** It is a neighbour on a ring. */
  isNeighbour = false;
  /** How many stakes concern it. */
  stakes = 0;
  status: PeerStatus = "unheard";
  nodeDead = false;
  /** It is alive and announces nothing, because nothing arrives there: what is sent to its pods is lost. */
  isUnreachable = false;
  /** Its newest heartbeat, and when it arrived. */
  beat: Heartbeat | undefined;
  beatMs = Number.NEGATIVE_INFINITY;
  /** Addresses that it has claimed or released after it sent that: its health may be another one now. */
  readonly claimedSince = new Set<string>();
  /** Since when its heartbeats say that it has not heard this node for so long that it would be dead; Infinity: they do not. */
  unheardSinceMs = Number.POSITIVE_INFINITY;
  session = 0;
  /** When that session was heard for the first time. */
  startedMs = Number.NEGATIVE_INFINITY;
  previousSession = 0;
  /** When it was heard for the last time; -Infinity: never. */
  heardMs = Number.NEGATIVE_INFINITY;
  /** When another node heard it for the last time, and which one said so. */
  vouchedMs = Number.NEGATIVE_INFINITY;
  voucher: string | undefined;
  /** This node does not hear it, and a witness says that it announces only addresses of which it is the first owner. */
  onlyAsFirst = false;
  /** It needs heartbeats of this node until then. */
  neededUntilMs = Number.NEGATIVE_INFINITY;
  /** It said that it restarts: until then it is alive, and what it held is reserved for it. */
  restartUntilMs = Number.NEGATIVE_INFINITY;
  suspicion: Suspicion | undefined;
  readonly sent = new SentClaims();

  constructor(node: string) {
    this.node = node;
  }

  /** This node has a reason to hear from it. */
  get isOfInterest(): boolean {
    return this.isNeighbour || this.stakes > 0;
  }

  get isAlive(): boolean {
    return this.status === "alive";
  }

  /** It is dead or has left. */
  get isGone(): boolean {
    return this.status === "dead" || this.status === "left";
  }

  /** It is alive, and this node heard it less than so many of its intervals ago. */
  isHeard(within: number, { nowMs, timing }: OwnState): boolean {
    return this.isAlive && nowMs - this.heardMs < within * this.intervalMs(timing.heartbeatMs);
  }

  /** Its newest heartbeat arrived less than so many of its intervals ago. */
  hasBeat(within: number, { nowMs, timing }: OwnState): boolean {
    return nowMs - this.beatMs < within * this.intervalMs(timing.heartbeatMs);
  }

  /** The interval at which it says that it sends heartbeats. */
  intervalMs(otherwiseMs: number): number {
    return Math.max(this.beat?.intervalMs ?? otherwiseMs, 1);
  }

  /** It hears this node, as far as it said. */
  get hearsUs(): boolean {
    return this.beat !== undefined && this.beat.heardMs < 3 * this.beat.intervalMs;
  }

  startSuspicion(nowMs: number): Suspicion {
    this.suspicion ??= {
      sinceMs: nowMs,
      asked: new Set(),
      answered: new Set(),
      silent: new Set(),
      rounds: 0,
      nodeAsked: 0,
      nodeAnswered: false,
      accused: undefined,
      triedMs: Number.NEGATIVE_INFINITY,
      isPutOff: false,
    };
    return this.suspicion;
  }
}
