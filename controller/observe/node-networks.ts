import type { Speaker } from "../../src/api/speaker.ts";
import { type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { rangeSize, subnetOf } from "../../src/ip/range.ts";
import type { NodeView } from "../../src/model/node.ts";
import type { NodeInfo } from "../allocate/allocations/node-addresses.ts";

type Interfaces = NonNullable<Speaker["status"]>["interfaces"];

/** A node as pools of nodes' own addresses see it; what is no address in the Node object is left out. */
export function nodeInfoOf(node: NodeView): NodeInfo {
  const { name, labels, ready, excluded, externalIPs } = node;
  const external = parseAll(externalIPs);
  const missing = internalOf(node).filter(({ family }) => !external.some((address) => address.family === family));
  return { name, labels, ready, excluded, addresses: uniqueAddresses([...external, ...missing]) };
}

/** All addresses that the Node object tells. */
export function addressesOf(node: NodeView): readonly IpAddress[] {
  return uniqueAddresses([...internalOf(node), ...parseAll(node.externalIPs)]);
}

/** What stands on the interfaces themselves. */
export function interfaceAddresses(interfaces: Interfaces): readonly IpAddress[] {
  return uniqueAddresses(parseAll(textsOf(interfaces).map((text) => text.split("/")[0] ?? "")));
}

/**
 * Network and broadcast address of each IPv4 subnet (RFC 1122 section 3.2.1.3; none in a /31, RFC 3021), and the subnet-router
 * anycast address of each IPv6 one (RFC 4291 section 2.6.1), which every router in it answers for.
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
