import type { L2Advertisement } from "../../src/api/l2-advertisement.ts";
import type { IpAddress } from "../../src/ip/address.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { type AnnouncerNode, announcerNodesOf, type CandidateInput, evaluateAnnouncerNode } from "./announcer-node.ts";
import { comingFirst, type DepartingNode } from "./departing-nodes.ts";
import { preferServing } from "./prefer-serving.ts";
import {
  type AdvertisedAddress,
  advertisementsForPool,
  advertisementsForServices,
  isUnrestricted,
} from "./select-advertisements.ts";

/** The nodes that may announce one address, and from which interfaces. */
export interface Candidates {
  /** Sorted. */
  readonly nodes: readonly string[];
  /** Patterns of names of interfaces, by node. A node that is missing may announce from every interface on the LAN of the address. */
  readonly interfaces: ReadonlyMap<string, readonly string[]>;
  /** The nodes that come first: those that stay and, of these, those that advertisements prefer most. Undefined: no node is preferred to another. */
  readonly preferred: ReadonlySet<string> | undefined;
  /** Those that come last because they are about to stop or are cordoned. */
  readonly departing: ReadonlySet<string>;
}

export type CandidateLookup = (address: AdvertisedAddress) => Candidates;

/**
 * Creates a function that answers which nodes may announce an address, for the nodes of one moment. A node may if its speaker is alive,
 * it is not excluded from load balancers, an interface that is up is on the LAN of the address, and, where there are L2Advertisements,
 * one of them selects the pool, the node and that interface, or names an interface that is on no LAN (see `announcingInterfaces`). Nodes that
 * cannot serve the address may only if no other node can (`preferServing`), and those that are about to stop come last. Answers are cached for
 * all addresses between the same subnet borders.
 */
export function createCandidateLookup(input: CandidateInput): CandidateLookup {
  const announcerNodes = announcerNodesOf(input);
  const borders = subnetBorders(announcerNodes);
  const refusedByAny = new Set(announcerNodes.flatMap(({ refusedServices }) => [...refusedServices]));
  const selections = new Map<string | undefined, Selection>();
  const known = new Map<string, Candidates>();
  const lists = new Map<string, readonly string[]>();
  return ({ address, pool, services }) => {
    let ofPool = selections.get(pool);
    if (ofPool === undefined) {
      ofPool = selectionOf(advertisementsForPool(pool, input));
      selections.set(pool, ofPool);
    }
    const ofServices = advertisementsForServices(ofPool.advertisements, services, input);
    const selection = ofServices === ofPool.advertisements ? ofPool : selectionOf(ofServices);
    const refused = refusedByAny.size === 0 ? [] : services.map(serviceKeyOf).filter((one) => refusedByAny.has(one));
    const key = `${refused.join()}/${address.family}/${intervalIndex(borders[address.family], address.value)}/${selection.key}`;
    let candidates = known.get(key);
    if (candidates === undefined) {
      const advertisements = isUnrestricted(input) ? undefined : selection.advertisements;
      const found = findCandidates(announcerNodes, advertisements, address, refused);
      candidates = { ...found, nodes: sameList(lists, found.nodes) };
      known.set(key, candidates);
    }
    return candidates;
  };
}

/** The advertisements that select an address. Addresses with the same selection have the same candidates. */
interface Selection {
  readonly key: string;
  readonly advertisements: readonly L2Advertisement[];
}

function selectionOf(advertisements: readonly L2Advertisement[]): Selection {
  return { key: advertisements.map(({ metadata }) => metadata.name).join(","), advertisements };
}

/** Uses the same array for the same nodes, so that addresses share what is derived from it. */
function sameList(lists: Map<string, readonly string[]>, nodes: readonly string[]): readonly string[] {
  const key = nodes.join(",");
  const known = lists.get(key);
  if (known === undefined) lists.set(key, nodes);
  return known ?? nodes;
}

function findCandidates(
  announcerNodes: readonly AnnouncerNode[],
  advertisements: readonly L2Advertisement[] | undefined,
  address: IpAddress,
  services: readonly string[],
): Candidates {
  const all = announcerNodes
    .map((announcerNode) => ({
      ...announcerNode,
      name: announcerNode.node.name,
      ...evaluateAnnouncerNode(announcerNode, advertisements, address),
    }))
    .filter(({ announcing }) => announcing.length > 0);
  const found = preferServing(all, address.family, services);
  return {
    nodes: found.map(({ name }) => name),
    interfaces: new Map(found.flatMap(({ name, patterns }) => (patterns.length > 0 ? [[name, patterns]] : []))),
    ...preferencesOf(found),
  };
}

function preferencesOf(found: readonly PreferenceNode[]): Pick<Candidates, "preferred" | "departing"> {
  const staying = new Set(comingFirst(found));
  const most = mostPreferred([...staying]);
  return {
    preferred: most.length === found.length ? undefined : new Set(most.map(({ name }) => name)),
    departing: new Set(found.filter((node) => !staying.has(node)).map(({ name }) => name)),
  };
}

interface PreferenceNode extends DepartingNode {
  readonly name: string;
  readonly preference: number;
}

function mostPreferred(nodes: readonly PreferenceNode[]): readonly PreferenceNode[] {
  const most = nodes.reduce((max, { preference }) => Math.max(max, preference), 0);
  return nodes.filter(({ preference }) => preference === most);
}

type Borders = Readonly<Record<"IPv4" | "IPv6", readonly bigint[]>>;

/** All addresses between two neighbouring borders are in the same subnets. */
function subnetBorders(announcerNodes: readonly AnnouncerNode[]): Borders {
  const borders = { IPv4: new Set<bigint>(), IPv6: new Set<bigint>() };
  for (const { interfaces } of announcerNodes) {
    for (const { family, first, last } of interfaces.flatMap((entry) => entry.subnets)) {
      borders[family].add(first).add(last + 1n);
    }
  }
  const sorted = (set: Set<bigint>): readonly bigint[] => [...set].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { IPv4: sorted(borders.IPv4), IPv6: sorted(borders.IPv6) };
}

/** How many borders are at or below the value. */
function intervalIndex(borders: readonly bigint[], value: bigint): number {
  let low = 0;
  let high = borders.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((borders[middle] as bigint) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
