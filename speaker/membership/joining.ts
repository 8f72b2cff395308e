import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";

/** Whether the peer has told all its claims since then. Only a heartbeat says how many there are: other messages may arrive before. */
export function hasTold(peer: PeerState, received: ReceivedClaims, sinceMs: number): boolean {
  return peer.beatMs >= sinceMs && peer.beat?.claimsVersion === received.versionOf(peer.node);
}

/** How often a node that is cut off since its start asks whether anything is there, in ms. */
const askCutOffMs = 1000;

/** How many other nodes are asked, and about how many addresses the LAN is. */
const maxAsked = 6;

export interface JoiningParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly received: ReceivedClaims;
  readonly connection: Connection;
  readonly effects: EffectQueue;
  /** Those of the stakes of this node. */
  readonly addresses: () => Iterable<string>;
  /** Whether any address of this node has other owners, too. */
  readonly hasOtherOwners: () => boolean;
  /** Nothing was heard since the start of this process. */
  readonly isolate: () => void;
  /** That does not matter any longer: this node has its addresses alone. */
  readonly alone: () => void;
}

/**
 * Ends the time in which this node only listens: once all peers have told their claims, or after a while. Not before anything was heard, if addresses
 * have other owners: nothing arrives at a node that hears nothing, not even a client that looks for an address, and it cannot know who announces it.
 */
export class Joining {
  readonly #parts: JoiningParts;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;
  /** Something was heard since the start of this process. */
  #hasHeard = false;

  constructor(parts: JoiningParts) {
    this.#parts = parts;
  }

  get nextDueMs(): number {
    const { joined, isolated, nowMs, timing } = this.#parts.own;
    if (isolated && !this.#hasHeard) return this.#askedMs + askCutOffMs;
    if (joined || isolated) return Number.POSITIVE_INFINITY;
    return Math.max(this.#sinceMs + timing.joinMs, nowMs + timing.retryMs);
  }

  /** This node only listens from now on. */
  begin(): void {
    const { own } = this.#parts;
    own.joined = false;
    this.#sinceMs = own.nowMs;
  }

  /** A message, or anything from the LAN. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** Begins again if this node has joined without others, has heard nothing yet, and now there are others. Call it before decisions. */
  reconsider(): void {
    if (this.#parts.own.joined && this.#isDeaf) this.begin();
  }

  /** Returns whether this node has joined in this turn. */
  advance(): boolean {
    const { own, isolate, alone } = this.#parts;
    if (this.#isDeaf && own.nowMs >= this.#sinceMs + own.timing.joinMs) {
      this.#ask();
      if (!own.isolated && own.nowMs >= this.#sinceMs + own.timing.joinLimitMs) isolate();
      return false;
    }
    if (own.isolated && !this.#hasHeard) alone();
    if (own.joined || own.isolated || !this.#isOver()) return false;
    own.joined = true;
    return true;
  }

  /** Nothing was ever heard, although there are other owners. */
  get #isDeaf(): boolean {
    return !this.#hasHeard && this.#parts.hasOtherOwners();
  }

  /**
   * Asks the gateway, the kernels of other nodes, whose speakers perhaps send no heartbeats, and who has the addresses. Before it has asked on an
   * interface, a node without announced addresses does not listen there.
   */
  #ask(): void {
    const { own, peers, connection, effects, addresses } = this.#parts;
    if (own.nowMs < this.#askedMs + (own.isolated ? askCutOffMs : own.timing.heartbeatMs)) return;
    this.#askedMs = own.nowMs;
    connection.ask();
    let asked = 0;
    for (const { node, onLan } of peers.active) {
      if (!onLan) continue;
      effects.add({ kind: "askNode", node });
      if (++asked === maxAsked) break;
    }
    const tried: string[] = [];
    for (const address of addresses()) if (tried.push(address) === maxAsked) break;
    effects.add({ kind: "askAnnounced", node: own.node, addresses: tried });
  }

  #isOver(): boolean {
    const { own, peers, received } = this.#parts;
    const { nowMs, timing } = own;
    if (nowMs >= this.#sinceMs + timing.joinLimitMs) return true;
    let hasPeers = false;
    let isComplete = true;
    for (const peer of peers.active) {
      if (peer.stakes === 0 || peer.isGone) continue;
      hasPeers = true;
      if (hasTold(peer, received, this.#sinceMs)) continue;
      isComplete = false;
      // It has begun to tell them.
      if (peer.heardMs >= this.#sinceMs) return false;
    }
    return (hasPeers && isComplete) || nowMs >= this.#sinceMs + timing.joinMs;
  }
}
