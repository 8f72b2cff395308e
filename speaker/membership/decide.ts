import type { Claim } from "../../src/heartbeat/messages.ts";
import { claimFor, compareClaims, compareTerms, type HeldClaim, isProvisional, rankIn } from "./claim-order.ts";
import type { Cause } from "./effects.ts";
import type { MembershipStake } from "./stake.ts";
import type { Timing } from "./timing.ts";

/** Whether an owner could take an address now, as far as this node knows. */
export type Eligibility =
  | "eligible"
  /** It is dead, leaves, or cannot deliver. */
  | "ineligible"
  /** It says that it cannot take this address, although it would be its turn. */
  | "passed"
  /** It is alive, and what it announces is not known: it is not heard, or has not said everything. */
  | "silent"
  /** It was never heard: perhaps its speaker sends no heartbeats. Then it announces as the first owner, and tells no one. */
  | "unheard";

/** What is known of an address when it is decided who announces it. */
export interface Situation {
  readonly node: string;
  readonly stake: MembershipStake;
  /** The claim by which this node announces the address. */
  readonly own: Claim | undefined;
  /** The best claim of another node that is alive. */
  readonly other: HeldClaim | undefined;
  /** The highest epoch that was seen under the term of the stake. */
  readonly seenEpoch: number | undefined;
  /** Some node has announced the address before. */
  readonly isKnown: boolean;
  /** This node can answer at all: armed, not isolated. */
  readonly isAble: boolean;
  /** This node may take addresses: able, healthy, joined, and it does not leave. */
  readonly isWilling: boolean;
  /**
   * Since when the address is in the present situation: with another list of owners, or without an announcer, and not left to the one that it had
   * before all owners stopped. In the future: it is left to that one until then.
   */
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly timing: Timing;
  readonly eligibility: (node: string) => Eligibility;
  /** The holder can no longer serve the address, says so, and hears this node. */
  readonly yields: (holder: string) => Cause | undefined;
  /** The node is heard directly. */
  readonly isHeard: (node: string) => boolean;
}

export type Decision =
  | { readonly kind: "keep" }
  /** Announce, or announce by another claim than before. */
  | { readonly kind: "take"; readonly claim: Claim; readonly cause: Cause | undefined }
  | { readonly kind: "release"; readonly to: string | undefined }
  /** It is the turn of this node, which cannot. */
  | { readonly kind: "pass" }
  | { readonly kind: "wait"; readonly untilMs: number };

const keep: Decision = { kind: "keep" };

/** Whether this node announces the address, pure. */
export function decide(situation: Situation): Decision {
  return situation.own === undefined ? decideWithout(situation) : decideAsHolder(situation, situation.own);
}

function decideAsHolder(situation: Situation, own: Claim): Decision {
  const { node, stake, other, timing, sinceMs, nowMs, seenEpoch } = situation;
  if (!situation.isAble) return { kind: "release", to: undefined };
  if (other !== undefined && compareClaims(other, { holder: node, claim: own }) > 0) {
    return { kind: "release", to: other.holder };
  }
  const age = compareTerms(own, stake);
  const [first] = stake.owners;
  if (first === node)
    return age === 0 ? keep : { kind: "take", claim: claimFor(stake, node, seenEpoch), cause: undefined };
  const isOwner = stake.owners.includes(node);
  if (age > 0 || (age === 0 && !isOwner && !isProvisional(own))) {
    // The terms have begun again: continue below the first claim of the new first owner.
    const claim = { createdSeconds: stake.createdSeconds, term: stake.term, epoch: 0, rank: rankIn(stake, node) };
    return { kind: "take", claim, cause: undefined };
  }
  if (age === 0 && isOwner && !isProvisional(own)) return keep;
  // Another node should announce the address: this one waits for it.
  const firstIs = first === undefined ? "ineligible" : situation.eligibility(first);
  if (firstIs === "ineligible" && isOwner) {
    return { kind: "take", claim: claimFor(stake, node, seenEpoch ?? 0), cause: undefined };
  }
  const limitMs = firstIs === "unheard" ? timing.unheardMoveMs : timing.moveLimitMs;
  if (nowMs < sinceMs + limitMs) return { kind: "wait", untilMs: sinceMs + limitMs };
  if (!isOwner || first === undefined || !situation.isHeard(first)) return { kind: "release", to: undefined };
  return { kind: "take", claim: claimFor(stake, node, seenEpoch ?? 0), cause: undefined };
}

function decideWithout(situation: Situation): Decision {
  const { node, stake, other, sinceMs, nowMs, timing } = situation;
  if (!stake.owners.includes(node)) return keep;
  const isFirst = stake.owners[0] === node;
  let cause: Cause | undefined;
  let isMove = false;
  if (other !== undefined) {
    const age = compareTerms(other.claim, stake);
    // With a list of owners that the announcer knows to be old, this node's claim would be too low.
    if (age > 0) return keep;
    const isOld = age < 0 || isProvisional(other.claim);
    isMove = isOld && (isFirst || !stake.owners.includes(other.holder));
    cause = isMove ? "Planned" : situation.yields(other.holder);
    if (cause === undefined) return keep;
  }
  const before = isMove && isFirst ? 0 : countBefore(situation);
  if (before === undefined) return keep;
  if (!situation.isWilling) return before === 0 && !stake.armed ? { kind: "pass" } : keep;
  const dueMs = sinceMs + before * timing.takeMs;
  if (nowMs < dueMs) return { kind: "wait", untilMs: dueMs };
  return { kind: "take", claim: claimFor(stake, node, situation.seenEpoch), cause };
}

/** How many better owners could take the address; undefined: one of them may announce it without a word that arrives here. */
function countBefore({ node, stake, isKnown, eligibility }: Situation): number | undefined {
  let count = 0;
  for (const owner of stake.owners) {
    if (owner === node) return count;
    const one = eligibility(owner);
    if (one === "unheard" || one === "silent") return undefined;
    if (one === "eligible" || (one === "passed" && !isKnown)) count += 1;
  }
  return undefined;
}
