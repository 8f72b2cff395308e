import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";

/** Whether the peer has told all its claims since then. */
export function hasTold(peer: PeerState, received: ReceivedClaims, sinceMs: number): boolean {
  return peer.heardMs >= sinceMs && peer.beat?.claimsVersion === received.versionOf(peer.node);
}

/** Ends the time in which this node only listens: once all peers have told their claims, or after a while. */
export class Joining {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #received: ReceivedClaims;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(own: OwnState, peers: Peers, received: ReceivedClaims) {
    this.#own = own;
    this.#peers = peers;
    this.#received = received;
  }

  get nextDueMs(): number {
    const { joined, isolated, nowMs, timing } = this.#own;
    if (joined || isolated) return Number.POSITIVE_INFINITY;
    return Math.max(this.#sinceMs + timing.joinMs, nowMs + timing.retryMs);
  }

  /** This node only listens from now on. */
  begin(): void {
    this.#own.joined = false;
    this.#sinceMs = this.#own.nowMs;
  }

  /** Returns whether this node has joined in this turn. */
  advance(): boolean {
    const own = this.#own;
    if (own.joined || own.isolated || !this.#isOver()) return false;
    own.joined = true;
    return true;
  }

  #isOver(): boolean {
    const { nowMs, timing } = this.#own;
    if (nowMs >= this.#sinceMs + timing.joinLimitMs) return true;
    let hasPeers = false;
    let isComplete = true;
    for (const peer of this.#peers.active) {
      if (peer.stakes === 0 || peer.isGone) continue;
      hasPeers = true;
      if (hasTold(peer, this.#received, this.#sinceMs)) continue;
      isComplete = false;
      // It has begun to tell them.
      if (peer.heardMs >= this.#sinceMs) return false;
    }
    return (hasPeers && isComplete) || nowMs >= this.#sinceMs + timing.joinMs;
  }
}
