import type { EffectQueue } from "./effect-queue.ts";
import { hasTold } from "./joining.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";

/**
 * The time after a stall of the thread: other nodes may have taken over. This node answers for no address until its peers have told their
 * claims, or after a while, when it is certain which of them are silent.
 */
export class Doubt {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #received: ReceivedClaims;
  readonly #effects: EffectQueue;
  #sinceMs = 0;
  #awaited: readonly PeerState[] = [];

  constructor(own: OwnState, peers: Peers, received: ReceivedClaims, effects: EffectQueue) {
    this.#own = own;
    this.#peers = peers;
    this.#received = received;
    this.#effects = effects;
  }

  get nextDueMs(): number {
    return this.#own.paused ? this.#sinceMs + this.#own.timing.doubtMs : Number.POSITIVE_INFINITY;
  }

  /** Returns the peers that are to be heard. */
  begin(): readonly PeerState[] {
    const own = this.#own;
    this.#awaited = [...this.#peers.active].filter((peer) => peer.stakes > 0 && peer.isAlive);
    this.#sinceMs = own.nowMs;
    if (!own.paused) this.#effects.add({ kind: "pause" });
    own.paused = true;
    return this.#awaited;
  }

  /** Returns whether the doubt is over. What was learned in this turn must have had its effect. */
  advance(): boolean {
    const own = this.#own;
    if (!own.paused) return false;
    const isOver = own.nowMs >= this.nextDueMs;
    if (!isOver && !this.#awaited.every((peer) => hasTold(peer, this.#received, this.#sinceMs))) return false;
    own.paused = false;
    this.#awaited = [];
    this.#effects.add({ kind: "resume" });
    return true;
  }
}
