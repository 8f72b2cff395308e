import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { IpRange } from "../../src/ip/range.ts";
import {
  addressData,
  concatenate,
  type Data,
  interfaceData,
  macData,
  type NftProtocol,
  portData,
  protocolData,
  rangeData,
} from "../../src/nft/data.ts";
import { type NftElement, sameData } from "../../src/nft/set.ts";
import type { NftDevice } from "../../src/nft/statement.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";

/** A port of a Service on one of its addresses. */
export interface ServicePortKey {
  readonly address: IpAddress;
  readonly protocol: NftProtocol;
  readonly port: number;
}

/** A node port on this node. */
export interface NodePortKey {
  readonly protocol: NftProtocol;
  readonly nodePort: number;
}

/** A port of which the protocol is in the name of the map. */
export interface EndpointsKey {
  readonly address: IpAddress;
  readonly port: number;
}

export interface EndpointAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/**
 * How a new connection finds one of so many entries of the map of endpoints: by a hash of the client's address and port (`flow`), or of
 * its address alone (`client`). The same on every node.
 */
export interface EndpointPick {
  readonly by: "flow" | "client";
  readonly count: number;
  /** Of the hash: 32 bits, the same for all elements. */
  readonly seed: number;
}

/** For how long a client keeps its endpoint after its last new connection, and who chooses that. */
export interface AffinityPort {
  readonly timeoutSeconds: number;
  readonly chosenBy: "us" | "kube-proxy";
}

/** Another node on the LAN, and how it is reached. */
export interface NextHop {
  readonly address: IpAddress;
  readonly device: NftDevice;
}

/** Packets to an address. */
export interface FlowKey {
  readonly address: IpAddress;
  readonly protocol: NftProtocol;
}

/** The keys of our sets and maps. A rule needs one lookup in each, however many Services there are. */
interface ElementTypes {
  /** Interfaces whose packets are rewritten; in-cluster clients come in by others and are left to kube-proxy. */
  readonly lan_interfaces: SetOf<{ readonly interfaceName: string }>;
  /** Every address of a Service. */
  readonly service_addresses: SetOf<{ readonly address: IpAddress }>;
  /** Ports that have source ranges, and with the source what these allow. */
  readonly source_range_services: SetOf<ServicePortKey>;
  readonly source_ranges: SetOf<ServicePortKey & { readonly source: IpRange }>;
  /** Ports that no endpoint in the cluster serves (kube-proxy's name for the same). */
  readonly no_endpoint_services: SetOf<ServicePortKey>;
  /** Frames of other nodes that pass packets on have these addresses. */
  readonly peer_macs: SetOf<{ readonly mac: string }>;
  /**
   * To which node a packet of a connection is passed on that this node does not know. "no node": TCP is reset. Without an element a packet goes its
   * usual way.
   */
  readonly unknown_flows: MapOf<FlowKey, NextHop | "no node">;
  /** The same for what another node has passed on, where that differs; and for what comes from the node that this would lead to. */
  readonly passed_flows: MapOf<FlowKey, NextHop | "no node">;
  readonly returned_flows: MapOf<FlowKey, NextHop | "no node">;
  /** By address: hardware addresses of that node. */
  readonly next_hop_macs: SetOf<{ readonly address: IpAddress; readonly mac: string }>;
  /** Ports that are left to kube-proxy's own rules. */
  readonly proxied_services: SetOf<ServicePortKey>;
  /** From a port to its node port on this node, and back. */
  readonly node_ports: MapOf<ServicePortKey, { readonly nodePort: number }>;
  /** Ports that are rewritten to their node port for clients in the cluster, too: no service proxy has rules for the address. */
  readonly in_cluster_services: SetOf<ServicePortKey>;
  readonly reply_addresses: MapOf<NodePortKey, { readonly address: IpAddress }>;
  readonly reply_ports: MapOf<NodePortKey, { readonly port: number }>;
  /** The source ranges of a port that is rewritten to a node port, by that node port. */
  readonly source_range_node_ports: SetOf<NodePortKey>;
  readonly node_port_source_ranges: SetOf<NodePortKey & { readonly source: IpRange }>;
  /** From a port that is not reached by a node port to the chain that picks one of its endpoints. */
  readonly dnat_services: MapOf<ServicePortKey, EndpointPick>;
  /** The endpoints of a port, or the buckets that its endpoints share: in the kernel one element for each, numbered from 0. */
  readonly tcp_endpoints: MapOf<EndpointsKey, readonly EndpointAddress[]>;
  readonly udp_endpoints: MapOf<EndpointsKey, readonly EndpointAddress[]>;
  /** Addresses that have a port with session affinity, to the chain for their ports. */
  readonly affinity_addresses: MapOf<{ readonly address: IpAddress }, "affinity_ports">;
  /** Ports with session affinity; and all pairs of one for which we choose, and one of its endpoints. */
  readonly affinity_services: MapOf<ServicePortKey, AffinityPort>;
  readonly affinity_endpoints: SetOf<ServicePortKey & { readonly endpoint: EndpointAddress }>;
  /** From an address that answers ping to the node's own address, which does it. */
  readonly ping_addresses: MapOf<{ readonly address: IpAddress }, { readonly nodeAddress: IpAddress }>;
  /**
   * Endpoints whose replies would not come back through this node, so that the client's address is masqueraded: in the kernel one element for each, of
   * which it is a part of the key. Each once.
   */
  readonly remote_endpoints: MapOf<FlowKey, readonly EndpointAddress[]>;
}

interface SetOf<Key> {
  readonly key: Key;
  readonly value?: undefined;
}

interface MapOf<Key, Value> {
  readonly key: Key;
  readonly value: Value;
}

export type SetName = keyof ElementTypes;

/** An element of one set or map, in our table of that family. Plain data. */
export type Element = {
  readonly [Name in SetName]: { readonly family: NftIpFamily; readonly set: Name } & ElementTypes[Name];
}[SetName];

/** One that is several elements of the kernel: `endpoint-block.ts` makes its bytes. */
export type EndpointElement = Extract<
  Element,
  { readonly set: "tcp_endpoints" | "udp_endpoints" | "remote_endpoints" }
>;

/** One that is one element of the kernel: `nftElement` makes its bytes. */
export type PlainElement = Exclude<Element, EndpointElement>;

/** An element without its value: as for a lookup. */
export type ElementRef = {
  readonly [Name in SetName]: Pick<Extract<Element, { readonly set: Name }>, "family" | "set" | "key">;
}[SetName];

/** Whether two elements of the same set have the same value. */
export function sameValue(left: PlainElement, right: PlainElement): boolean {
  return left.value === right.value || sameData(nftElement(left), nftElement(right));
}

/** The element in the kernel's bytes: its parts in the order of the declaration in tables.ts. */
export function nftElement(element: PlainElement): NftElement {
  const data = nftData(element);
  return data === undefined ? nftKey(element) : { ...nftKey(element), data };
}

/** The same without its data: as for a deletion. Of endpoints, what their keys begin with. */
export function nftKey(element: ElementRef): NftElement {
  switch (element.set) {
    case "source_ranges": {
      const service = servicePortData(element.key);
      const [first, last] = rangeData(element.key.source);
      return { key: service + first, keyEnd: service + last };
    }
    case "node_port_source_ranges": {
      const nodePort = nodePortData(element.key);
      const [first, last] = rangeData(element.key.source);
      return { key: nodePort + first, keyEnd: nodePort + last };
    }
    case "lan_interfaces":
      return { key: interfaceData(element.key.interfaceName) };
    case "peer_macs":
      return { key: macData(element.key.mac) };
    case "next_hop_macs":
      return { key: concatenate([addressData(element.key.address), macData(element.key.mac)]) };
    case "unknown_flows":
    case "passed_flows":
    case "returned_flows":
    case "remote_endpoints":
      return { key: addressData(element.key.address) + protocolRegisters[element.key.protocol] };
    case "service_addresses":
    case "ping_addresses":
    case "affinity_addresses":
      return { key: addressData(element.key.address) };
    case "source_range_services":
    case "no_endpoint_services":
    case "proxied_services":
    case "in_cluster_services":
    case "node_ports":
    case "dnat_services":
    case "affinity_services":
      return { key: servicePortData(element.key) };
    case "affinity_endpoints":
      return { key: servicePortData(element.key) + endpointData(element.key.endpoint) };
    case "reply_addresses":
    case "reply_ports":
    case "source_range_node_ports":
      return { key: nodePortData(element.key) };
    case "tcp_endpoints":
    case "udp_endpoints":
      return { key: endpointData(element.key) };
  }
}

function nftData(element: PlainElement): NftElement["data"] {
  switch (element.set) {
    case "node_ports":
      return portData(element.value.nodePort);
    case "reply_addresses":
      return addressData(element.value.address);
    case "reply_ports":
      return portData(element.value.port);
    case "ping_addresses":
      return addressData(element.value.nodeAddress);
    default: {
      const chain = targetNameOf(element);
      return chain === undefined ? undefined : { kind: "goto", chain };
    }
  }
}

/** The name of the chain that the element leads to; undefined where it leads to none. */
export function targetNameOf(element: Element): string | undefined {
  switch (element.set) {
    case "dnat_services":
      return pickChainName(element.value);
    case "affinity_addresses":
      return element.value;
    case "affinity_services":
      return affinityChainName(element.value);
    case "unknown_flows":
    case "passed_flows":
    case "returned_flows":
      return element.value === "no node" ? "unknown_connection" : nextHopChainName(element.value);
    default:
      return undefined;
  }
}

/** The chain that passes packets on to a node. The name has all that its rules are made of. */
export function nextHopChainName({ address, device }: NextHop): string {
  return `pass_to_${formatAddress(address).replaceAll(":", "_")}_${device.index}`;
}

/** The chain that picks one of so many endpoints: one for each number, because the modulus is a constant of the rule. */
export function pickChainName({ by, count }: Omit<EndpointPick, "seed">): string {
  return `pick_${by}_${count}`;
}

/** The chain that notes which endpoint a client has: one for each timeout, which is a constant of the rule. */
export function affinityChainName({ timeoutSeconds, chosenBy }: AffinityPort): string {
  return `${chosenBy === "us" ? "affinity" : "learn"}_${timeoutSeconds}`;
}

/**
 * The same bytes as `concatenate` returns for the parts, without its arrays: large clusters have hundreds of thousands of elements. The same holds for
 * `nodePortData` and `endpointData`.
 */
function servicePortData({ address, protocol, port }: ServicePortKey): Data {
  return addressData(address) + protocolRegisters[protocol] + paddedPortData(port);
}

function nodePortData({ protocol, nodePort }: NodePortKey): Data {
  return protocolRegisters[protocol] + paddedPortData(nodePort);
}

function endpointData({ address, port }: EndpointAddress): Data {
  return addressData(address) + paddedPortData(port);
}

/** A port fills half of a register. */
function paddedPortData(port: number): Data {
  return String.fromCharCode((port >> 8) & 0xff, port & 0xff, 0, 0);
}

/** Protocols with what fills their register. */
const protocolRegisters = {
  tcp: paddedProtocol("tcp"),
  udp: paddedProtocol("udp"),
  sctp: paddedProtocol("sctp"),
  icmp: paddedProtocol("icmp"),
  icmpv6: paddedProtocol("icmpv6"),
} as const satisfies Record<NftProtocol, Data>;

function paddedProtocol(protocol: NftProtocol): Data {
  return `${protocolData(protocol)}\0\0\0`;
}
