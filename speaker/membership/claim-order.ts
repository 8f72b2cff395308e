import { type Claim, maxUint32, noRank } from "../../src/heartbeat/messages.ts";
import type { MembershipStake } from "./stake.ts";

/** The list of owners that a claim or a stake belongs to. */
type Term = Pick<Claim, "createdSeconds" | "term">;

/** Which of two lists of owners is the newer one: positive, `a`; 0: they are the same. */
export function compareTerms(a: Term, b: Term): number {
  return a.createdSeconds - b.createdSeconds || a.term - b.term;
}

/** A claim to an address, and the node that makes it. */
export interface HeldClaim {
  readonly holder: string;
  readonly claim: Claim;
}

/** Which of two claims to one address is the better one: positive, `a`; 0 only for one and the same holder. */
export function compareClaims({ holder, claim: a }: HeldClaim, { holder: otherHolder, claim: b }: HeldClaim): number {
  const order = compareTerms(a, b) || a.epoch - b.epoch || b.rank - a.rank;
  if (order !== 0) return order;
  return holder === otherHolder ? 0 : holder < otherHolder ? 1 : -1;
}

/** The position of the node in the list of owners, as claims have it. */
export function rankIn({ owners }: Pick<MembershipStake, "owners">, node: string): number {
  const index = owners.indexOf(node);
  return index < 0 ? noRank : Math.min(index, noRank - 1);
}

/**
 * The claim by which an owner takes an address under the stake. `seenEpoch`: the highest epoch that it has seen in this term; undefined:
 * none. The first owner starts with 0, which every takeover beats.
 */
export function claimFor(stake: MembershipStake, node: string, seenEpoch: number | undefined): Claim {
  const rank = rankIn(stake, node);
  const epoch = seenEpoch === undefined ? (rank === 0 ? 0 : 1) : Math.min(seenEpoch + 1, maxUint32);
  return { createdSeconds: stake.createdSeconds, term: stake.term, epoch, rank };
}

/**
 * A holder that does not come first in a list of owners that is older than the one it knew has such a claim: it continues, and the first
 * owner may take the address with its first claim.
 */
export function isProvisional({ epoch, rank }: Claim): boolean {
  return epoch === 0 && rank !== 0;
}
