import type { Claim } from "../../src/heartbeat/messages.ts";
import { compareTerms } from "./claim-order.ts";
import type { Eligibility } from "./decide.ts";
import type { Cause } from "./effects.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import { isHealthyIn, type MembershipStake } from "./stake.ts";
import { deadAfter, unreportedAfter } from "./timing.ts";

/** What is known of other nodes, as decisions about addresses need it. */
export class PeerView {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #received: ReceivedClaims;

  constructor(own: OwnState, peers: Peers, received: ReceivedClaims) {
    this.#own = own;
    this.#peers = peers;
    this.#received = received;
  }

  /** Whether the node announces what it claims. */
  announces(node: string): boolean {
    const peer = this.#peers.get(node);
    return peer?.isAlive === true && !this.#isCutOff(peer);
  }

  /** It claimed the address before this node no longer heard it, and announces it no longer, as others say. */
  hasLost(node: string, claim: Claim, stake: MembershipStake): boolean {
    if (this.#peers.get(node)?.onlyAsFirst !== true || stake.owners[0] === node) return false;
    // If it knows a newer list of owners than this node, it may be the first one there.
    return compareTerms(claim, stake) <= 0;
  }

  /** It hears nothing, as it says itself, or as others say of one that this node does not hear. */
  #isCutOff(peer: PeerState): boolean {
    return peer.beat?.isolated === true || this.#isUnreachable(peer);
  }

  /** Others say that nothing arrives there, and this node does not hear it. */
  #isUnreachable(peer: PeerState): boolean {
    return peer.isUnreachable && !peer.isHeard(deadAfter, this.#own);
  }

  /** Whether it announces nothing, by what others say: it is dead or has left, or it is not heard and nothing arrives there. */
  isLost(node: string): boolean {
    const peer = this.#peers.get(node);
    return peer !== undefined && (peer.isGone || this.#isUnreachable(peer));
  }

  /** Whether it is heard directly: not longer ago than so many of its intervals. */
  isHeard(node: string, within = deadAfter): boolean {
    return this.#peers.get(node)?.isHeard(within, this.#own) === true;
  }

  /** Whether it is heard directly, and what it announces is known. A node that does not hear this one does not say that, unless it is cut off. */
  hasTold(node: string): boolean {
    const peer = this.#peers.get(node);
    if (peer?.isAlive !== true || !peer.hasBeat(deadAfter, this.#own)) return false;
    if (peer.beat?.isolated === true) return true;
    return this.#received.versionOf(node) >= (peer.beat?.claimsVersion ?? 0);
  }

  /** For reports: whether it is heard directly or restarts, and serves addresses, that is, is not cut off, and is healthy in at least one family. */
  isWorking(node: string): boolean {
    const peer = this.#peers.get(node);
    if (peer?.isAlive !== true || peer.isUnreachable) return false;
    if (!this.isHeard(node, unreportedAfter) && peer.restartUntilMs <= this.#own.nowMs) return false;
    return peer.beat !== undefined && !peer.beat.isolated && (peer.beat.ipv4 || peer.beat.ipv6);
  }

  /** When the process that is heard there now was heard for the first time; undefined: none is heard. */
  startedMs(node: string): number | undefined {
    return this.isHeard(node) ? this.#peers.get(node)?.startedMs : undefined;
  }

  eligibility(node: string, { address, family }: MembershipStake): Eligibility {
    const peer = this.#peers.get(node);
    if (peer === undefined || peer.status === "unheard") return "unheard";
    const { beat } = peer;
    if (!peer.isAlive) return "ineligible";
    if (beat === undefined) return "eligible";
    if (this.#isCutOff(peer) || beat.phase === "leaving" || beat.phase === "left") return "ineligible";
    if (!isHealthyIn(family, beat)) return "ineligible";
    if (!this.isHeard(node) && peer.restartUntilMs <= this.#own.nowMs) return "silent";
    if (this.#received.versionOf(node) < beat.claimsVersion) return "silent";
    return this.#received.hasPassed(node, address) ? "passed" : "eligible";
  }

  /** Why another node should take over what the node announces now; undefined: it should not, or the node would not hear of it. */
  yields(node: string, { address, family }: MembershipStake): Cause | undefined {
    const peer = this.#peers.get(node);
    const beat = peer?.beat;
    if (peer === undefined || beat === undefined || !peer.hearsUs || !this.isHeard(node)) return undefined;
    if (peer.claimedSince.has(address)) return undefined;
    if (beat.phase === "leaving") return "PeerLeft";
    return isHealthyIn(family, beat) ? undefined : "PeerUnhealthy";
  }

  /** Why no node announces the address, and for how long. `last`: the node that did, as far as is known. */
  vacancyAfter(
    last: string | undefined,
    stake: MembershipStake,
    vacantMs: number,
  ): { readonly cause: Cause; readonly gapMs: number } {
    const { nowMs } = this.#own;
    const peer = last === undefined || last === this.#own.node ? undefined : this.#peers.get(last);
    const gapMs = Math.round(nowMs - vacantMs);
    if (last === undefined || peer === undefined) return { cause: "Start", gapMs: 0 };
    if (peer.status === "left") return { cause: "PeerLeft", gapMs };
    if (peer.status === "dead") {
      const sinceMs = peer.heardMs === Number.NEGATIVE_INFINITY ? vacantMs : peer.heardMs;
      return { cause: "PeerDead", gapMs: Math.round(nowMs - sinceMs) };
    }
    const { beat } = peer;
    const isHealthy = beat === undefined || isHealthyIn(stake.family, beat);
    const isUnable = !isHealthy || beat?.isolated === true || this.#received.hasPassed(last, stake.address);
    return { cause: isUnable ? "PeerUnhealthy" : "Planned", gapMs };
  }
}
