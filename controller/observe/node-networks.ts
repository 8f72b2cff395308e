import type { Speaker } from "../../src/api/speaker.ts";
import { type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { rangeSize, subnetOf } from "../../src/ip/range.ts";
import { departureRank } from "../../src/model/departure.ts";
import type { NodeView } from "../../src/model/node.ts";
import type { NodeInfo } from "../allocate/allocations/node-addresses.ts";

export type Interfaces = NonNullable<Speaker["status"]>["interfaces"];

/** A node as pools of nodes' own addresses see it. Texts of the Node that are not addresses are ignored. */
export function nodeInfoOf(node: NodeView): NodeInfo {
  const { name, labels, ready, excluded, departure, externalIPs } = node;
  const external = parseAll(externalIPs);
  const missing = internalOf(node).filter(({ family }) => !external.some((address) => address.family === family));
  return {
    name,
    labels,
    ready,
    excluded: excluded || departureRank(departure) > 1,
    addresses: uniqueAddresses([...external, ...missing]),
  };
}

/** All addresses in the status of the Node. */
export function addressesOf(node: NodeView): readonly IpAddress[] {
  return uniqueAddresses([...internalOf(node), ...parseAll(node.externalIPs)]);
}

/**
 * Service proxies put the addresses of all Services on these interfaces of every node, among them those that we assign: kube-proxy in
 * ipvs mode (DefaultDummyDevice in kubernetes/pkg/proxy/ipvs/proxier.go) and kube-router (KubeDummyIf in pkg/controllers/proxy).
 */
const serviceProxyInterfaces: ReadonlySet<string> = new Set(["kube-ipvs0", "kube-dummy-if"]);

/** The addresses of the interfaces themselves, without those that are there because Services have them. */
export function interfaceAddresses(interfaces: Interfaces): readonly IpAddress[] {
  const own = interfaces.filter(({ name }) => !serviceProxyInterfaces.has(name));
  return uniqueAddresses(parseAll(textsOf(own).map((text) => text.split("/")[0] ?? "")));
}

/**
 * The addresses that no host in a subnet may have: network and broadcast address of an IPv4 subnet (RFC 1122 section 3.2.1.3; none
 * in a /31, RFC 3021), and the subnet-router anycast address of an IPv6 subnet (RFC 4291 section 2.6.1), which its routers answer.
 */
export function subnetEdges(interfaces: Interfaces): readonly IpAddress[] {
  const edges = textsOf(interfaces).flatMap((text): readonly IpAddress[] => {
    const subnet = subnetOf(text);
    if (subnet === undefined || rangeSize(subnet) <= 2n) return [];
    const { family, first, last } = subnet;
    return (family === "IPv4" ? [first, last] : [first]).map((value) => ({ family, value }));
  });
  return uniqueAddresses(edges);
}

function internalOf({ internalIPv4, internalIPv6 }: NodeView): readonly IpAddress[] {
  return parseAll([internalIPv4, internalIPv6].filter((text) => text !== undefined));
}

function textsOf(interfaces: Interfaces): readonly string[] {
  return interfaces.flatMap(({ addresses }) => addresses);
}

function parseAll(texts: readonly string[]): readonly IpAddress[] {
  return texts.flatMap((text) => parseAddress(text) ?? []);
}

function uniqueAddresses(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return [...new Map(addresses.map((address) => [virtualIpName(address), address])).values()];
}
