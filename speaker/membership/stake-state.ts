import type { Claim } from "../../src/heartbeat/messages.ts";
import { compareTerms, type HeldClaim } from "./claim-order.ts";
import type { MembershipStake } from "./stake.ts";

/** A stake, and what this node does about it. */
export class StakeState {
  stake: MembershipStake;
  /** The claim by which this node announces the address. */
  own: Claim | undefined;
  /** It was the turn of this node, which could not. */
  passed = false;
  /** The other nodes that its claim concerns. */
  concerned: readonly string[] = [];
  /** Nodes that its claim no longer concerns, and that know of it. */
  former: readonly string[] = [];
  /** The highest epoch of claims that were seen in the term of the stake. */
  seenEpoch: number | undefined;
  /** A claim of any node was seen. */
  isSeen = false;
  /** When the term of the stake changed for the last time. */
  movedMs: number;
  /** Since when the address could be taken. */
  vacantMs: number | undefined;
  /** The other node that announced it last, as far as is known: the one that the first stake names, until a claim is seen. */
  lastHolder: string | undefined;
  /** The node that was reported as the holder. */
  reportedHolder: string | undefined;
  /** How many other nodes claim it. */
  rivals = 0;
  /** What a third node said about the claim of one that this node perhaps does not hear. */
  relayed: HeldClaim | undefined;
  /** Several other nodes announce it: when they next learn of the conflict. Undefined: there is none. */
  conflictMs: number | undefined;
  /** Claim of the process before this one, which ended with the intent to restart. */
  resumed: Claim | undefined;

  constructor(stake: MembershipStake, nowMs: number) {
    this.stake = stake;
    this.movedMs = nowMs;
    this.lastHolder = stake.announcedBy;
  }

  /** Some node has announced the address before. */
  get isKnown(): boolean {
    return this.isSeen || this.lastHolder !== undefined;
  }

  /** Returns whether claims must be looked at again: the term is another one than before. */
  replace(stake: MembershipStake, nowMs: number): boolean {
    const { owners } = this.stake;
    const isOtherTerm = compareTerms(stake, this.stake) !== 0;
    // A VirtualIP that is created again within a second has the same term, and perhaps other owners.
    const isOtherList = stake.owners.length !== owners.length || stake.owners.some((owner, at) => owner !== owners[at]);
    this.stake = stake;
    if (isOtherTerm || isOtherList) {
      this.movedMs = nowMs;
      this.vacantMs = undefined;
      this.passed = false;
    }
    if (!isOtherTerm) return false;
    this.seenEpoch = undefined;
    if (this.own !== undefined) this.see(this.own);
    return true;
  }

  /** Notes a claim of any node. */
  see(claim: Claim): void {
    this.isSeen = true;
    if (compareTerms(claim, this.stake) === 0) this.seenEpoch = Math.max(this.seenEpoch ?? 0, claim.epoch);
  }
}
