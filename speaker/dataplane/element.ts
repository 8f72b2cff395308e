import type { IpAddress } from "../../src/ip/address.ts";
import type { IpRange } from "../../src/ip/range.ts";
import { type NftData, type NftElement, type NftProtocol, printData } from "../../src/nft/element.ts";
import type { NftFamily } from "../../src/nft/transaction.ts";

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

/** One of the endpoints of a port, numbered from 0. The protocol is in the name of the map. */
export interface EndpointKey {
  readonly address: IpAddress;
  readonly port: number;
  readonly index: number;
}

export interface EndpointAddress {
  readonly address: IpAddress;
  readonly port: number;
}

/** How a new connection finds one of so many endpoints: any, or the same one for the same client address. */
export interface EndpointPick {
  readonly by: "random" | "client";
  readonly count: number;
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
  /** From a port to its node port on this node, and back. */
  readonly node_ports: MapOf<ServicePortKey, { readonly nodePort: number }>;
  readonly reply_addresses: MapOf<NodePortKey, { readonly address: IpAddress }>;
  readonly reply_ports: MapOf<NodePortKey, { readonly port: number }>;
  /** From a port that is not reached by a node port to the chain that picks one of its endpoints. */
  readonly dnat_services: MapOf<ServicePortKey, EndpointPick>;
  readonly tcp_endpoints: MapOf<EndpointKey, EndpointAddress>;
  readonly udp_endpoints: MapOf<EndpointKey, EndpointAddress>;
  /** Endpoints whose replies would not come back through this node, so that the client's address is masqueraded. */
  readonly remote_endpoints: SetOf<Omit<ServicePortKey, "port"> & { readonly endpoint: EndpointAddress }>;
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

/** An element of one set or map, in our table of that family. Plain data; `printData` or an encoder makes it what the kernel reads. */
export type Element = {
  readonly [Name in SetName]: { readonly family: NftFamily; readonly set: Name } & ElementTypes[Name];
}[SetName];

/** An element without its value: as for a lookup. */
export type ElementRef = {
  readonly [Name in SetName]: Pick<Extract<Element, { readonly set: Name }>, "family" | "set" | "key">;
}[SetName];

/** The same text for the same family, set and key. For use as a map key; nothing reads it back. */
export function elementId(element: ElementRef): string {
  return `${element.family} ${element.set} ${printData(nftKey(element))}`;
}

/** Whether two elements of the same set have the same value. */
export function sameValue(left: Element, right: Element): boolean {
  if (left.value === right.value) return true;
  return printData(nftValue(left) ?? []) === printData(nftValue(right) ?? []);
}

/** The element as nft data: its parts in the order of the declaration in tables.ts. */
export function nftElement(element: Element): NftElement {
  const key = nftKey(element);
  const value = nftValue(element);
  return value === undefined ? { key } : { key, value };
}

export function nftKey(element: ElementRef): readonly NftData[] {
  switch (element.set) {
    case "lan_interfaces":
      return [{ kind: "interface", name: element.key.interfaceName }];
    case "service_addresses":
      return [addressData(element.key.address)];
    case "source_range_services":
    case "no_endpoint_services":
    case "node_ports":
    case "dnat_services":
      return servicePortData(element.key);
    case "source_ranges":
      return [...servicePortData(element.key), { kind: "range", range: element.key.source }];
    case "reply_addresses":
    case "reply_ports":
      return [{ kind: "protocol", protocol: element.key.protocol }, portData(element.key.nodePort)];
    case "tcp_endpoints":
    case "udp_endpoints": {
      const { address, port, index } = element.key;
      return [addressData(address), portData(port), { kind: "index", index }];
    }
    case "remote_endpoints": {
      const { address, protocol, endpoint } = element.key;
      return [addressData(address), { kind: "protocol", protocol }, ...endpointData(endpoint)];
    }
  }
}

function nftValue(element: Element): readonly NftData[] | undefined {
  switch (element.set) {
    case "node_ports":
      return [portData(element.value.nodePort)];
    case "reply_addresses":
      return [addressData(element.value.address)];
    case "reply_ports":
      return [portData(element.value.port)];
    case "dnat_services":
      return [{ kind: "goto", chain: pickChainName(element.value) }];
    case "tcp_endpoints":
    case "udp_endpoints":
      return endpointData(element.value);
    default:
      return undefined;
  }
}

/** The chain that picks one of so many endpoints: one for each number, because the modulus is a constant of the rule. */
export function pickChainName({ by, count }: EndpointPick): string {
  return `pick_${by}_${count}`;
}

function servicePortData({ address, protocol, port }: ServicePortKey): readonly NftData[] {
  return [addressData(address), { kind: "protocol", protocol }, portData(port)];
}

function endpointData({ address, port }: EndpointAddress): readonly NftData[] {
  return [addressData(address), portData(port)];
}

function addressData(address: IpAddress): NftData {
  return { kind: "address", address };
}

function portData(port: number): NftData {
  return { kind: "port", port };
}
