import type { L2Advertisement } from "../../src/api/l2-advertisement.ts";
import { isDrained, isReadyFor, refusedServicesOf, type Speaker, speakerLeaseName } from "../../src/api/speaker.ts";
import type { IpAddress, IpFamily } from "../../src/ip/address.ts";
import { isLan, isOnLan } from "../../src/ip/lan.ts";
import { formatRange, subnetOf } from "../../src/ip/range.ts";
import { type Departure, departureRank } from "../../src/model/departure.ts";
import { matchesAnySelector, matchesLabels } from "../../src/model/label-selector.ts";
import { excludeLabel, type NodeView } from "../../src/model/node.ts";
import type { Reason } from "../../src/model/reason.ts";
import {
  type AnnouncingInterface,
  announcingInterfaces,
  servesFamily,
} from "../../src/placement/announcing-interfaces.ts";
import type { CannotServe } from "../../src/placement/cannot-serve.ts";
import { isLiteral } from "../../src/placement/glob.ts";

/** What decides who may announce an address: speakers, Nodes, leases and advertisements as they are at one moment. */
export interface CandidateInput {
  readonly speakers: Iterable<Speaker>;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Names of the nodes whose speaker is alive. */
  readonly live: ReadonlySet<string>;
  readonly advertisements: readonly L2Advertisement[];
  /** Why further advertisements cannot be used. As long as there are any, only what an advertisement allows is announced. */
  readonly refusedAdvertisements: readonly Reason[];
  /** The labels of a Service by `namespace/name`. Undefined: it does not exist, or has too many, so that no selector matches it. */
  readonly serviceLabels: (key: string) => Readonly<Record<string, string>> | undefined;
  /** Labels of the pools by name. */
  readonly poolLabels: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** An interface as its speaker reports it. */
export interface SpeakerInterface extends AnnouncingInterface {
  readonly addresses: readonly string[];
  readonly cannotServe: readonly CannotServe[];
}

/** A Node whose speaker may announce addresses, and its interfaces that are up. */
export interface AnnouncerNode {
  readonly node: NodeView;
  readonly interfaces: readonly SpeakerInterface[];
  /** All their LANs, with what they cannot serve, as text, sorted. */
  readonly subnetsText: string;
  /** Whether the node can serve addresses of the family. */
  readonly ready: Readonly<Record<IpFamily, boolean>>;
  /** Services whose rules its kernel refuses, by `namespace/name`. */
  readonly refusedServices: ReadonlySet<string>;
  /** Why other nodes should announce its addresses. Undefined: it stays. */
  readonly departure: Departure | undefined;
}

/** The nodes that take part in load balancing and whose speaker is alive, sorted by name. */
export function announcerNodesOf(input: CandidateInput): readonly AnnouncerNode[] {
  const absence = createAbsenceLookup(input);
  return [...input.speakers]
    .flatMap((speaker): readonly AnnouncerNode[] => {
      const node = input.nodes.get(speaker.metadata.name);
      return node === undefined || absence(node, speaker) !== undefined ? [] : [createAnnouncerNode(node, speaker)];
    })
    .sort(compareAnnouncerNodes);
}

/** Which nodes may announce on which subnets, as text: equal texts mean equal nodes and subnets. */
export function describeAnnouncerNodes(input: CandidateInput): string {
  return announcerNodesOf(input)
    .map(({ node, subnetsText, ready, departure = "" }) => {
      return `${node.name}: ${subnetsText} ${describeReady(ready)} ${departure}`;
    })
    .join("; ");
}

/** Reads the interfaces of a node. Does not check that the node takes part: see `createAbsenceLookup`. */
export function createAnnouncerNode(node: NodeView, speaker: Speaker): AnnouncerNode {
  const departs = departureRank(node.departure) > 1 || !isDrained(speaker);
  return { node, ...networksOf(speaker), departure: departs ? node.departure : "Drained" };
}

type Networks = Omit<AnnouncerNode, "node" | "departure">;

/** Objects of a watch are not modified, and most are the same when nodes are evaluated again. */
const known = new WeakMap<Speaker, Networks>();

function networksOf(speaker: Speaker): Networks {
  let networks = known.get(speaker);
  if (networks === undefined) {
    networks = readNetworks(speaker);
    known.set(speaker, networks);
  }
  return networks;
}

/**
 * Which interfaces are up that have a LAN or that an advertisement names, on which subnets, and what they cannot serve, as text: equal texts
 * mean that the node may announce the same addresses from the same interfaces. Pods' interfaces, hardware addresses and everything else that a speaker
 * reports do not change it.
 */
export function describeLans(speaker: Speaker, named: ReadonlySet<string>): string {
  return networksOf(speaker)
    .interfaces.map((entry) => ({ ...entry, lans: entry.subnets.filter(isLan).map(formatRange).sort() }))
    .filter(({ name, lans }) => lans.length > 0 || named.has(name))
    .map((entry) => [entry.name, ...entry.lans, ...describeCannotServe(entry)].join(" "))
    .sort()
    .join("; ");
}

function describeCannotServe({ cannotServe }: SpeakerInterface): readonly string[] {
  return cannotServe.map(({ family, reason }) => `${family}:${reason}`);
}

/** Which addresses a speaker can serve, as text: equal texts mean the same addresses. */
export function describeReadiness(speaker: Speaker): string {
  const { ready, refusedServices } = networksOf(speaker);
  return [describeReady(ready), ...refusedServices].join(" ");
}

function describeReady(ready: AnnouncerNode["ready"]): string {
  return Object.entries(ready)
    .flatMap(([family, isReady]) => (isReady ? [] : [`without ${family}`]))
    .join(" ");
}

function readNetworks(speaker: Speaker): Networks {
  const { status } = speaker;
  const interfaces = (status?.interfaces ?? [])
    .filter((entry) => entry.up)
    .map((entry) => ({
      name: entry.name,
      up: entry.up,
      addresses: entry.addresses,
      cannotServe: entry.cannotServe ?? [],
      subnets: entry.addresses.flatMap((text) => subnetOf(text) ?? []),
    }));
  const subnets = interfaces.flatMap((entry) => {
    const marks = describeCannotServe(entry);
    return entry.subnets.filter(isLan).map((subnet) => [formatRange(subnet), ...marks].join(" "));
  });
  return {
    interfaces,
    subnetsText: [...new Set(subnets)].sort().join(" "),
    ready: { IPv4: isReadyFor(speaker, "IPv4"), IPv6: isReadyFor(speaker, "IPv6") },
    refusedServices: new Set([...refusedServicesOf(speaker)].sort()),
  };
}

/** Why a node announces nothing at all. Undefined: it may announce addresses of its subnets. */
export type AbsenceLookup = (node: NodeView | undefined, speaker: Speaker | undefined) => string | undefined;

/**
 * Creates a function that answers why a node announces nothing, for the nodes of one moment. A node whose network plug-in reports that its
 * network is unavailable announces nothing as long as another node could: if all report that, it is more likely that nothing
 * maintains the condition than that no pod can be reached.
 */
export function createAbsenceLookup({ speakers, nodes, live }: CandidateInput): AbsenceLookup {
  const counts = (node: NodeView): boolean => !node.excluded && live.has(node.name);
  const takingPart = [...speakers].flatMap(({ metadata }) => nodes.get(metadata.name) ?? []).filter(counts);
  const networkCounts = takingPart.some((node) => !node.networkUnavailable);
  return (node, speaker) => {
    if (node === undefined) return "the Node no longer exists";
    if (node.excluded)
      return `it has the label ${excludeLabel}, which the controller honours unless it runs with --ignore-exclude-label=true`;
    if (speaker === undefined)
      return "its speaker has never reported: no pod of daemonset/bellhop-speaker has run there";
    if (!live.has(node.name))
      return `its speaker is not running: Lease ${speakerLeaseName(node.name)} is not renewed, or other speakers no longer hear it`;
    return networkCounts && node.networkUnavailable
      ? "its condition NetworkUnavailable is True: the network plug-in does not run there"
      : undefined;
  };
}

function compareAnnouncerNodes(left: AnnouncerNode, right: AnnouncerNode): number {
  return left.node.name < right.node.name ? -1 : left.node.name > right.node.name ? 1 : 0;
}

/** What decides whether a node may announce an address. */
export interface NodeEvaluation {
  /** Its interfaces on the LAN of the address, whatever the advertisements say. */
  readonly onSubnet: readonly SpeakerInterface[];
  /** Patterns of names of interfaces, for VirtualIP.spec. Empty: every interface on the LAN of the address. */
  readonly patterns: readonly string[];
  /** The interfaces that it may announce the address from. Empty: it may not announce it. */
  readonly announcing: readonly SpeakerInterface[];
  /** Whether the node drops no requests at one of these. */
  readonly serves: boolean;
  /** The sum of the weights of the preferences that it matches, in the advertisements that select it. */
  readonly preference: number;
}

/** `advertisements`: those that select the address. Undefined: there are none at all, so every node may announce from every interface. */
export function evaluateAnnouncerNode(
  { node, interfaces }: AnnouncerNode,
  advertisements: readonly L2Advertisement[] | undefined,
  address: IpAddress,
): NodeEvaluation {
  const onSubnet = interfaces.filter(({ subnets }) => isOnLan(subnets, address));
  const serve = (some: readonly SpeakerInterface[]): boolean => some.some((one) => servesFamily(one, address.family));
  if (advertisements === undefined)
    return { onSubnet, patterns: [], announcing: onSubnet, serves: serve(onSubnet), preference: 0 };
  const selecting = advertisements.filter(({ spec }) => selectsNode(spec, node));
  if (selecting.length === 0) return { onSubnet, patterns: [], announcing: [], serves: false, preference: 0 };
  const patterns = patternsOf(selecting, onSubnet.length > 0);
  const announcing = announcingInterfaces(interfaces, address, patterns);
  return { onSubnet, patterns, announcing, serves: serve(announcing), preference: preferenceOf(selecting, node) };
}

function preferenceOf(selecting: readonly L2Advertisement[], { labels }: NodeView): number {
  return selecting
    .flatMap(({ spec }) => spec.preferredNodeSelectors ?? [])
    .filter(({ preference }) => matchesLabels(preference, labels))
    .reduce((sum, { weight }) => sum + weight, 0);
}

/** Whether the advertisement selects the node, by its labels. */
export function selectsNode({ nodeSelectors = [] }: L2Advertisement["spec"], { labels }: NodeView): boolean {
  return nodeSelectors.length === 0 || matchesAnySelector(nodeSelectors, labels);
}

/**
 * The interfaces that any of the advertisements lists; all, if one of them lists none. Names that others list besides matter only on a
 * node without an interface on the LAN of the address: see `announcingInterfaces`.
 */
function patternsOf(selecting: readonly L2Advertisement[], onLan: boolean): readonly string[] {
  const lists = selecting.map(({ spec: { interfaces = [] } }) => interfaces);
  const patterns = [...new Set(lists.flat())].sort();
  if (lists.every((list) => list.length > 0)) return patterns;
  const names = onLan ? [] : patterns.filter(isLiteral);
  return names.length === 0 ? [] : ["*", ...names];
}
