import { rankOf } from "../../src/placement/rank.ts";
import { type CandidateRing, ringOf } from "./candidate-ring.ts";
import type { OwnedAddress } from "./owned-address.ts";
import type { OwnerCounts } from "./owner-counts.ts";

/** How many nodes an owner list has: one announces, two wait. */
export const maxOwners = 3;

/** The owners that stay in a list, and how many more it needs. */
export interface ListDraft {
  readonly owners: readonly string[];
  /** More nodes with ready endpoints, where these count. They come before `far`. */
  readonly missingNear: number;
  /** Waiting owners without ready endpoints, where these count. */
  readonly far: readonly string[];
  /** More nodes, whatever their endpoints. */
  readonly missing: number;
}

/**
 * Decides what stays of a list whose first owner is `first`. A complete list with the same first owner stays as it is. A list that has to
 * change keeps only the waiting owners that are at most `steps` from the first owner on the ring. So lists from before there was a
 * ring change over to it gradually.
 */
export function draftList({ current, candidates, local }: OwnedAddress, first: string, steps: number): ListDraft {
  const ring = ringOf(candidates);
  const size = Math.min(maxOwners, candidates.length);
  const waiting = [...new Set(current)].filter((node) => node !== first && ring.has(node));
  const complete = current[0] === first && waiting.length >= size - 1;
  const isNear = (node: string): boolean => local === undefined || local.has(node);
  const stays = (node: string): boolean =>
    complete || (local !== undefined && isNear(node)) || ring.distance(first, node) <= steps;
  const kept = waiting.filter(stays);
  const near = kept.filter(isNear).slice(0, size - 1);
  const room = size - 1 - near.length;
  const others =
    local === undefined || room === 0 ? 0 : countNear(ring, local) - near.length - (local.has(first) ? 1 : 0);
  const missingNear = Math.min(room, Math.max(0, others));
  const far = local === undefined ? [] : kept.filter((node) => !isNear(node)).slice(0, room - missingNear);
  return { owners: [first, ...near], missingNear, far, missing: room - missingNear - far.length };
}

/** How many candidates have ready endpoints. Stops counting when there are more than a list needs. */
function countNear(ring: CandidateRing, local: ReadonlySet<string>): number {
  let count = 0;
  for (const node of local) {
    if (ring.has(node)) count++;
    if (count > maxOwners) break;
  }
  return count;
}

/** Completes the list with nodes around the first owner. Under Local it looks at all nodes with endpoints if too few are around it. */
export function completeList(
  address: OwnedAddress,
  { owners, missingNear, far, missing }: ListDraft,
  counts: OwnerCounts,
  steps: number,
): readonly string[] {
  if (missingNear + missing + far.length === 0) return owners;
  const ring = ringOf(address.candidates);
  const list = [...owners];
  const around = ring.around(owners[0] ?? "", steps);
  const { local } = address;
  for (let more = missingNear; more > 0 && local !== undefined; more--) {
    const close = around.filter((node) => local.has(node));
    const next = best(address, ring, list, close, counts, steps) ?? best(address, ring, list, local, counts, steps);
    if (next !== undefined) list.push(next);
  }
  list.push(...far);
  for (let more = missing; more > 0; more--) {
    const next = best(address, ring, list, around, counts, steps);
    if (next !== undefined) list.push(next);
  }
  return list;
}

/**
 * The node that comes next in the list. It is close to all others in the list on the ring, so that lists consist of few different nodes.
 * Directly after the first owner comes the node that would take over the fewest of that owner's addresses, so that they spread
 * evenly when it dies. Of several it picks the one with the highest rank.
 */
function best(
  { name }: OwnedAddress,
  ring: CandidateRing,
  list: readonly string[],
  nodes: Iterable<string>,
  counts: OwnerCounts,
  steps: number,
): string | undefined {
  const [first = ""] = list;
  let found: Follower | undefined;
  for (const node of nodes) {
    if (list.includes(node) || !ring.has(node)) continue;
    let apart = 0;
    for (const owner of list) {
      const distance = ring.distance(owner, node);
      if (distance > steps) apart += distance;
    }
    const count = list.length === 1 ? counts.nextOf(first, node) : 0;
    const candidate = { node, apart, count, rank: rankOf(node, name) };
    if (found === undefined || compareFollowers(candidate, found) < 0) found = candidate;
  }
  return found?.node;
}

interface Follower {
  readonly node: string;
  /** Sum of the distances to owners in the list that are too far away. */
  readonly apart: number;
  /** How many addresses of the first owner it takes over. */
  readonly count: number;
  readonly rank: number;
}

function compareFollowers(left: Follower, right: Follower): number {
  return (
    left.apart - right.apart || left.count - right.count || right.rank - left.rank || (left.node < right.node ? -1 : 1)
  );
}
