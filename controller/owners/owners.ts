import { byRank, rankOf } from "../../src/placement/rank.ts";
import { type BalanceItem, balance } from "./balance.ts";

/** One address that needs owners. */
export interface OwnedAddress {
  /** Name of its VirtualIP. */
  readonly name: string;
  /** The present owner list. */
  readonly current: readonly string[];
  /** Nodes that may announce it; sorted. */
  readonly candidates: readonly string[];
  /** Nodes with ready endpoints where externalTrafficPolicy is Local. Undefined: any node will do. */
  readonly local: ReadonlySet<string> | undefined;
}

/** How many nodes an owner list has: one announces, two wait. */
export const maxOwners = 3;

/**
 * Plans the owner lists of all addresses. The first owner stays while it may announce. Otherwise the next in the list that may follows,
 * because it has taken over already. An address without either goes to the node with the fewest. `even` also moves addresses in use, by
 * the fewest moves that make the counts differ by at most one where the candidates allow it. Set it only when the nodes have been the
 * same for a while, because each move interrupts connections. `others`: how many further addresses each node is first owner of, which
 * stay as they are.
 */
export function planOwners(
  addresses: readonly OwnedAddress[],
  { even, others }: { readonly even: boolean; readonly others?: ReadonlyMap<string, number> },
): ReadonlyMap<string, readonly string[]> {
  const sorted = [...addresses].sort((a, b) => (a.name < b.name ? -1 : 1));
  const loads = new Map(others);
  const first = new Map<string, string>();
  const setFirst = (name: string, node: string): void => {
    first.set(name, node);
    loads.set(node, (loads.get(node) ?? 0) + 1);
  };
  const unassigned: OwnedAddress[] = [];
  for (const address of sorted) {
    const choices = firstChoices(address);
    const successor = address.current.find((node) => choices.includes(node));
    if (successor !== undefined) setFirst(address.name, successor);
    else if (choices.length > 0) unassigned.push(address);
  }
  for (const address of unassigned) {
    const node = leastLoaded(firstChoices(address), loads, address.name);
    if (node !== undefined) setFirst(address.name, node);
  }
  if (even) for (const [name, node] of balance(balanceItemsOf(sorted, first))) first.set(name, node);
  return new Map(sorted.map((address) => [address.name, ownerList(address, first.get(address.name))]));
}

/** The owner list of one new address. `loads`: how many addresses each node is first owner of. */
export function ownersForNew(address: OwnedAddress, loads: ReadonlyMap<string, number>): readonly string[] {
  return ownerList(address, leastLoaded(firstChoices(address), loads, address.name));
}

/** Candidates with ready endpoints, or all candidates if none has any. */
function firstChoices({ candidates, local }: OwnedAddress): readonly string[] {
  if (local === undefined) return candidates;
  const near = candidates.filter((node) => local.has(node));
  return near.length > 0 ? near : candidates;
}

function balanceItemsOf(
  addresses: readonly OwnedAddress[],
  first: ReadonlyMap<string, string>,
): readonly BalanceItem[] {
  return addresses.flatMap((address) => {
    const owner = first.get(address.name);
    return owner === undefined ? [] : [{ name: address.name, owner, choices: firstChoices(address) }];
  });
}

function leastLoaded(
  nodes: readonly string[],
  loads: ReadonlyMap<string, number>,
  address: string,
): string | undefined {
  let best: { readonly node: string; readonly load: number; readonly rank: number } | undefined;
  for (const node of nodes) {
    const load = loads.get(node) ?? 0;
    if (best !== undefined && load > best.load) continue;
    const rank = rankOf(node, address);
    if (best === undefined || load < best.load || rank > best.rank) best = { node, load, rank };
  }
  return best?.node;
}

/** The first owner, then those that waited already, then others by rank. Under Local those with endpoints come before the rest. */
function ownerList({ name, current, candidates, local }: OwnedAddress, first: string | undefined): readonly string[] {
  if (first === undefined) return [];
  const waiting = current.filter((node) => node !== first && candidates.includes(node));
  const others = byRank(
    candidates.filter((node) => node !== first && !waiting.includes(node)),
    name,
  );
  const followers = [...new Set([...waiting, ...others])];
  const near = followers.filter((node) => local?.has(node) ?? true);
  const far = followers.filter((node) => !near.includes(node));
  return [first, ...near, ...far].slice(0, maxOwners);
}
