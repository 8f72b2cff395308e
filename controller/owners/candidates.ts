import type { L2Advertisement } from "../../src/api/l2-advertisement.ts";
import { type Speaker, speakerLeaseName } from "../../src/api/speaker.ts";
import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import { isLan, isOnLan } from "../../src/ip/lan.ts";
import { formatRange, type IpRange, subnetOf } from "../../src/ip/range.ts";
import { matchesAnyGlob } from "../../src/model/glob.ts";
import { matchesAnySelector } from "../../src/model/label-selector.ts";
import { excludeLabel, type NodeView } from "../../src/model/node.ts";

export interface CandidateInput {
  readonly speakers: Iterable<Speaker>;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Names of the nodes whose speaker is alive. */
  readonly live: ReadonlySet<string>;
  readonly advertisements: readonly L2Advertisement[];
  /** Labels of the pools by name. */
  readonly poolLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** Who may announce one address, and from which interfaces. */
export interface Candidates {
  /** Sorted. */
  readonly nodes: readonly string[];
  /** Globs for VirtualIP.spec.interfaces; empty: every interface with the subnet. */
  readonly interfaces: readonly string[];
}

export type CandidatesOf = (address: IpAddress, pool: string | undefined) => Candidates;

interface AnnouncerNode {
  readonly node: NodeView;
  readonly interfaces: readonly {
    readonly name: string;
    readonly addresses: readonly string[];
    readonly subnets: readonly IpRange[];
  }[];
}

/**
 * Gives the question "who may announce this address" over one moment's nodes. A node may if its speaker is alive, it is not
 * excluded from load balancers, an interface that is up is on the address's LAN, and, where there are L2Advertisements, one of
 * them names the pool, the node and that interface. Answers are shared by all addresses between the same subnet borders.
 */
export function createCandidates(input: CandidateInput): CandidatesOf {
  const announcerNodes = [...input.speakers]
    .flatMap((speaker) => announcerNodeOf(speaker, input))
    .sort(compareAnnouncerNodes);
  const borders = subnetBorders(announcerNodes);
  const known = new Map<string, Candidates>();
  return (address, pool) => {
    const key = `${address.family}/${intervalIndex(borders[address.family], address.value)}/${pool ?? ""}`;
    let candidates = known.get(key);
    if (candidates === undefined) {
      candidates = findCandidates(
        announcerNodes,
        advertisementsFor(pool, input),
        input.advertisements.length === 0,
        address,
      );
      known.set(key, candidates);
    }
    return candidates;
  };
}

/** Says in one text which nodes may announce on which subnets: the same text, the same question of who is there. */
export function describeAnnouncerNodes(input: CandidateInput): string {
  const announcerNodes = [...input.speakers]
    .flatMap((speaker) => announcerNodeOf(speaker, input))
    .sort(compareAnnouncerNodes);
  return announcerNodes
    .map(({ node, interfaces }) => {
      const subnets = interfaces.flatMap((entry) => entry.subnets.map(formatRange));
      return `${node.name}: ${[...new Set(subnets)].sort().join(" ")}`;
    })
    .join("; ");
}

function announcerNodeOf(speaker: Speaker, input: CandidateInput): readonly AnnouncerNode[] {
  const node = input.nodes.get(speaker.metadata.name);
  if (node === undefined || reasonForAbsence(node, speaker, input.live) !== undefined) return [];
  return [createAnnouncerNode(node, speaker)];
}

function createAnnouncerNode(node: NodeView, speaker: Speaker): AnnouncerNode {
  const interfaces = (speaker.status?.interfaces ?? [])
    .filter((entry) => entry.up)
    .map((entry) => ({
      name: entry.name,
      addresses: entry.addresses,
      subnets: entry.addresses.flatMap((text) => subnetOf(text) ?? []),
    }));
  return { node, interfaces };
}

/** Why a node announces nothing at all; undefined: it may announce what is on its subnets. */
function reasonForAbsence(
  node: NodeView | undefined,
  speaker: Speaker | undefined,
  live: ReadonlySet<string>,
): string | undefined {
  if (node === undefined) return "there is no Node of this name any more";
  if (node.excluded) return `it is labelled ${excludeLabel}, or is about to be removed`;
  if (speaker === undefined)
    return "no speaker has reported from it: no pod of daemonset/bellhop-speaker has run there";
  if (!live.has(node.name)) return `its speaker is not alive: Lease ${speakerLeaseName(node.name)} is not renewed`;
  return undefined;
}

/** Whether one node may announce an address, and why or why not. */
export interface NodeResult {
  readonly node: string;
  readonly may: boolean;
  /** What stands against it in a word; undefined: it may. */
  readonly fault: "NoSpeaker" | "OffSubnet" | "NotAllowed" | undefined;
  /** With `may` the interfaces and their addresses. */
  readonly why: string;
}

/** Asks every node by itself; those that may are the same as createCandidates gives. Sorted by name. */
export function evaluateNodes(
  input: CandidateInput,
  address: IpAddress,
  pool: string | undefined,
): readonly NodeResult[] {
  const speakers = new Map([...input.speakers].map((speaker) => [speaker.metadata.name, speaker]));
  const advertisements = advertisementsFor(pool, input);
  const unrestricted = input.advertisements.length === 0;
  return [...new Set([...input.nodes.keys(), ...speakers.keys()])].sort().map((name) => {
    const node = input.nodes.get(name);
    const speaker = speakers.get(name);
    const absent = reasonForAbsence(node, speaker, input.live);
    if (absent !== undefined || node === undefined || speaker === undefined) {
      return { node: name, may: false, fault: "NoSpeaker", why: absent ?? "" };
    }
    const announcerNode = createAnnouncerNode(node, speaker);
    const { onSubnet, granting } = evaluateAnnouncerNode(announcerNode, advertisements, address);
    if (onSubnet.length === 0)
      return { node: name, may: false, fault: "OffSubnet", why: reasonOffSubnet(announcerNode, address) };
    if (!unrestricted && granting.length === 0) {
      const why = `no L2Advertisement allows pool ${pool ?? "(none)"} on this node and ${describeInterfaces(onSubnet)}`;
      return { node: name, may: false, fault: "NotAllowed", why };
    }
    return { node: name, may: true, fault: undefined, why: describeInterfaces(onSubnet) };
  });
}

function reasonOffSubnet({ interfaces }: AnnouncerNode, address: IpAddress): string {
  const wide = interfaces.filter(({ subnets }) => subnets.some(isLan));
  const own = wide.length === 0 ? "none with a network is up" : `it has ${describeInterfaces(wide)}`;
  return `no interface has a subnet with ${formatAddress(address)}: ${own}`;
}

function describeInterfaces(interfaces: AnnouncerNode["interfaces"]): string {
  return interfaces.map(({ name, addresses }) => `${name} ${addresses.join(" ")}`).join(", ");
}

function compareAnnouncerNodes(left: AnnouncerNode, right: AnnouncerNode): number {
  return left.node.name < right.node.name ? -1 : left.node.name > right.node.name ? 1 : 0;
}

function advertisementsFor(pool: string | undefined, input: CandidateInput): readonly L2Advertisement[] {
  return input.advertisements.filter(({ spec: { ipAddressPools = [], ipAddressPoolSelectors = [] } }) => {
    if (ipAddressPools.length + ipAddressPoolSelectors.length === 0) return true;
    if (pool === undefined) return false;
    return (
      ipAddressPools.includes(pool) || matchesAnySelector(ipAddressPoolSelectors, input.poolLabels.get(pool) ?? {})
    );
  });
}

function findCandidates(
  announcerNodes: readonly AnnouncerNode[],
  advertisements: readonly L2Advertisement[],
  unrestricted: boolean,
  address: IpAddress,
): Candidates {
  const nodes: string[] = [];
  const globs = new Set<string>();
  let everyInterface = unrestricted;
  for (const announcerNode of announcerNodes) {
    const { onSubnet, granting } = evaluateAnnouncerNode(announcerNode, advertisements, address);
    if (onSubnet.length === 0 || (!unrestricted && granting.length === 0)) continue;
    nodes.push(announcerNode.node.name);
    for (const { spec } of granting) {
      if ((spec.interfaces ?? []).length === 0) everyInterface = true;
      for (const glob of spec.interfaces ?? []) globs.add(glob);
    }
  }
  return { nodes, interfaces: everyInterface ? [] : [...globs].sort() };
}

/** The interfaces with the address's subnet, and the advertisements that allow this node and one of them. */
function evaluateAnnouncerNode(
  announcerNode: AnnouncerNode,
  advertisements: readonly L2Advertisement[],
  address: IpAddress,
) {
  const onSubnet = announcerNode.interfaces.filter(({ subnets }) => isOnLan(subnets, address));
  return {
    onSubnet,
    granting: advertisements.filter((advertisement) => grants(advertisement, announcerNode.node, onSubnet)),
  };
}

function grants({ spec }: L2Advertisement, node: NodeView, onSubnet: readonly { readonly name: string }[]): boolean {
  const { nodeSelectors = [], interfaces = [] } = spec;
  if (nodeSelectors.length > 0 && !matchesAnySelector(nodeSelectors, node.labels)) return false;
  return onSubnet.some((entry) => matchesAnyGlob(interfaces, entry.name));
}

type Borders = Readonly<Record<"IPv4" | "IPv6", readonly bigint[]>>;

/** Between two neighbouring borders every address lies in the same subnets. */
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

/** How many borders lie at or below the value. */
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
