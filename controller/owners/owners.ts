import { rankFrom, rankOf } from "../../src/placement/rank.ts";
import { type BalanceItem, balance } from "./balance.ts";
import { ringOf } from "./candidate-ring.ts";
import { LeastLoaded } from "./least-loaded.ts";
import type { OwnedAddress } from "./owned-address.ts";
import { OwnerCounts } from "./owner-counts.ts";
import { completeList, draftList, type ListDraft } from "./owner-list.ts";

export interface PlanOptions extends ChoiceOptions {
  /** Whether addresses in use may move, to make the counts even. */
  readonly even: boolean;
  /** The owners of all addresses that are not planned. */
  readonly others?: OwnerCounts;
}

export interface ChoiceOptions {
  /** From how many nodes the waiting owners of one node's addresses are chosen. */
  readonly peers: number;
  /** Nodes that remain first owners of the addresses that they have. They become first owners of more only if no other candidate is left. */
  readonly fixed?: ReadonlySet<string>;
}

const noNodes: ReadonlySet<string> = new Set();

/** The trade-off of "Copysets" (Cidon et al. 2013): with more peers a dead node's addresses spread wider, with fewer less has to be watched. */
export const defaultPeers = 6;

/**
 * Plans the owner lists of all addresses. The first owner stays while it may announce. Otherwise the next in the list that may follows,
 * because it has taken over already. An address without either goes to the node with the fewest. `even` also moves addresses in use, by
 * the fewest moves that make the counts differ by at most one where the candidates allow it. Set it only when the nodes have been the
 * same for a while, because each move interrupts connections. The waiting owners of a node's addresses come from the few nodes around it
 * (see `CandidateRing`). A complete list stays as it is. Costs O(addresses), and O(nodes) for each address without an owner. Yields
 * after each small step.
 */
export function* planOwners(
  addresses: readonly OwnedAddress[],
  { even, others, peers, fixed = noNodes }: PlanOptions,
): Generator<void, ReadonlyMap<string, readonly string[]>> {
  const sorted = [...addresses].sort((a, b) => (a.name < b.name ? -1 : 1));
  const counts = new OwnerCounts(others);
  const first = new Map<string, string>();
  const unassigned: OwnedAddress[] = [];
  for (const address of sorted) {
    const successor = successorOf(address);
    if (successor !== undefined) first.set(address.name, successor);
    else if (address.candidates.length > 0) unassigned.push(address);
    counts.addFirst(successor, 1);
    yield;
  }
  const least = new Map<readonly string[], LeastLoaded>();
  for (const address of unassigned) {
    const choices = movableChoices(address, fixed);
    const known = choices.length > fewChoices ? (least.get(choices) ?? new LeastLoaded(choices, counts)) : undefined;
    if (known !== undefined) least.set(choices, known);
    const node = known === undefined ? leastLoaded(address, choices, counts) : known.pick(address.name);
    if (node !== undefined) first.set(address.name, node);
    counts.addFirst(node, 1);
    yield;
  }
  if (even)
    for (const [name, node] of yield* balance(yield* balanceItemsOf(sorted, first, fixed))) first.set(name, node);
  return yield* ownerLists(sorted, first, counts, stepsOf(peers));
}

/** The owner list of one new address. `counts`: the owners of all others. */
export function ownersForNew(
  address: OwnedAddress,
  counts: OwnerCounts,
  { peers, fixed = noNodes }: ChoiceOptions,
): readonly string[] {
  const first = leastLoaded(address, movableChoices(address, fixed), counts);
  if (first === undefined) return [];
  const steps = stepsOf(peers);
  return completeList(address, draftList(address, first, steps), counts, steps);
}

/** Half of the peers of a node are on each side of it. */
function stepsOf(peers: number): number {
  return Math.ceil(peers / 2);
}

/** Counts all complete lists before it completes others, so that a list does not depend on the order of the addresses. */
function* ownerLists(
  addresses: readonly OwnedAddress[],
  first: ReadonlyMap<string, string>,
  counts: OwnerCounts,
  steps: number,
): Generator<void, ReadonlyMap<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>();
  const incomplete: (readonly [OwnedAddress, ListDraft])[] = [];
  for (const address of addresses) {
    const node = first.get(address.name);
    const draft = node === undefined ? undefined : draftList(address, node, steps);
    lists.set(address.name, draft === undefined ? [] : [...draft.owners, ...draft.far]);
    if (draft === undefined) continue;
    if (draft.missing + draft.missingNear > 0) incomplete.push([address, draft]);
    else counts.addNext(lists.get(address.name) ?? [], 1);
    yield;
  }
  for (const [address, draft] of incomplete) {
    const list = completeList(address, draft, counts, steps);
    counts.addNext(list, 1);
    lists.set(address.name, list);
    yield;
  }
  return lists;
}

/** The first node of the present list that may be first owner. */
function successorOf({ current, candidates, local }: OwnedAddress): string | undefined {
  const ring = ringOf(candidates);
  if (local === undefined) return current.find((node) => ring.has(node));
  const near = current.find((node) => ring.has(node) && local.has(node));
  return near ?? (hasNear(candidates, local) ? undefined : current.find((node) => ring.has(node)));
}

function hasNear(candidates: readonly string[], local: ReadonlySet<string>): boolean {
  const ring = ringOf(candidates);
  for (const node of local) if (ring.has(node)) return true;
  return false;
}

/** Up to this many choices are looked at one by one. */
const fewChoices = 32;

/** By candidates, then by the nodes that come first: preferred nodes are the same for many addresses. */
const knownChoices = new WeakMap<readonly string[], WeakMap<ReadonlySet<string>, readonly string[]>>();

/** Candidates with ready endpoints, or all candidates if none has any. Sorted. The same array for the same input. */
function firstChoices({ candidates, local }: OwnedAddress): readonly string[] {
  if (local === undefined) return candidates;
  const known = knownChoices.get(candidates) ?? new WeakMap<ReadonlySet<string>, readonly string[]>();
  knownChoices.set(candidates, known);
  let choices = known.get(local);
  if (choices === undefined) {
    const ring = ringOf(candidates);
    const near = [...local].filter((node) => ring.has(node));
    choices = near.length > 0 && near.length < candidates.length ? near.sort() : candidates;
    known.set(local, choices);
  }
  return choices;
}

/** By choices, then by the fixed nodes. */
const knownMovable = new WeakMap<readonly string[], WeakMap<ReadonlySet<string>, readonly string[]>>();

/** The choices without fixed nodes, or all of them if all are fixed. The same array for the same input. */
function movableChoices(address: OwnedAddress, fixed: ReadonlySet<string>): readonly string[] {
  const choices = firstChoices(address);
  if (fixed.size === 0) return choices;
  const known = knownMovable.get(choices) ?? new WeakMap<ReadonlySet<string>, readonly string[]>();
  knownMovable.set(choices, known);
  let movable = known.get(fixed);
  if (movable === undefined) {
    const others = choices.filter((node) => !fixed.has(node));
    movable = others.length === 0 || others.length === choices.length ? choices : others;
    known.set(fixed, movable);
  }
  return movable;
}

/** Uses the same array for all items with the same choices. Leaves out what fixed nodes have. */
function* balanceItemsOf(
  addresses: readonly OwnedAddress[],
  first: ReadonlyMap<string, string>,
  fixed: ReadonlySet<string>,
): Generator<void, readonly BalanceItem[]> {
  const byContent = new Map<string, readonly string[]>();
  const shared = new Map<readonly string[], readonly string[]>();
  const items: BalanceItem[] = [];
  for (const address of addresses) {
    const owner = first.get(address.name);
    if (owner === undefined || fixed.has(owner)) continue;
    const own = movableChoices(address, fixed);
    let choices = own === address.candidates ? own : shared.get(own);
    if (choices === undefined) {
      const content = own.join(",");
      choices = byContent.get(content) ?? own;
      byContent.set(content, choices);
      shared.set(own, choices);
    }
    items.push({ name: address.name, owner, choices });
    yield;
  }
  return items;
}

/** The node with the fewest addresses. Of several it picks the one with the highest rank. */
function leastLoaded(address: OwnedAddress, nodes: readonly string[], counts: OwnerCounts): string | undefined {
  const seeds = nodes === address.candidates ? ringOf(nodes).seeds : undefined;
  let best: { readonly node: string; readonly load: number; readonly rank: number } | undefined;
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index] as string;
    const load = counts.firstOf(node);
    if (best !== undefined && load > best.load) continue;
    const seed = seeds?.[index];
    const rank = seed === undefined ? rankOf(node, address.name) : rankFrom(seed, address.name);
    if (best === undefined || load < best.load || rank > best.rank) best = { node, load, rank };
  }
  return best?.node;
}
