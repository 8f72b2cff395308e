import { ctStates, type Data, icmpTypes, icmpv6Types, numberData, tcpFlags } from "../../src/nft/data.ts";
import { concatenation, constant, type Expression, field } from "../../src/nft/expression.ts";
import type { FieldName } from "../../src/nft/field.ts";
import type { NftSet } from "../../src/nft/set.ts";
import type { NftRule, Statement } from "../../src/nft/statement.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { sets } from "./sets.ts";

/** The flags by which a packet that opens a connection is known. */
export const tcpControl: Expression = {
  kind: "bitwise",
  of: field("tcp flags"),
  operator: "&",
  bits: tcpFlags.fin | tcpFlags.syn | tcpFlags.rst | tcpFlags.ack,
};

/** Ends the base chain for the packet. */
export const accept: Statement = { kind: "verdict", verdict: { kind: "accept" } };

/** Ends the way of the packet. */
export const drop: Statement = { kind: "verdict", verdict: { kind: "drop" } };

/** Continues behind the rule that has led to the chain. */
export const leaveChain: Statement = { kind: "verdict", verdict: { kind: "return" } };

/** Continues in another chain, and comes back. */
export function jump(chain: string): Statement {
  return { kind: "verdict", verdict: { kind: "jump", chain } };
}

/** The address, protocol and port of a Service. */
export function serviceKey(ip: NftIpFamily): readonly Expression[] {
  return concatenation(`${ip} daddr`, "meta l4proto", "th dport");
}

/** The address and port that the client has sent the packet to. */
export function originalService(ip: NftIpFamily): readonly Expression[] {
  return concatenation(`ct original ${ip} daddr`, "meta l4proto", "ct original proto-dst");
}

/** Whether it is a ping. */
export function isEchoRequest(ip: NftIpFamily): Statement {
  return ip === "ip"
    ? is("icmp type", numberData("icmp_type", icmpTypes["echo-request"]))
    : is("icmpv6 type", numberData("icmpv6_type", icmpv6Types["echo-request"]));
}

/** A question for the hardware address of an IPv6 address. */
export const isSolicitation: Statement = is(
  "icmpv6 type",
  numberData("icmpv6_type", icmpv6Types["nd-neighbor-solicit"]),
);

/** Whether connection tracking has the packet in one of these states. */
export function isInState(...states: readonly (keyof typeof ctStates)[]): Statement {
  const bits = states.reduce((sum, state) => sum | ctStates[state], 0);
  return { kind: "match", left: field("ct state"), operator: "any", right: numberData("ct_state", bits) };
}

export const isNew: Statement = isInState("new");

/** Whether the packet neither opens a connection nor is invalid. */
export const isKnown: Statement = isInState("established", "related", "untracked");

/** A TCP packet that opens a connection. */
export const isSyn: Statement = {
  kind: "match",
  left: tcpControl,
  operator: "==",
  right: numberData("tcp_flag", tcpFlags.syn),
};

/** A TCP packet that ends no connection. */
export const endsNothing: Statement = {
  kind: "match",
  left: { kind: "bitwise", of: field("tcp flags"), operator: "&", bits: tcpFlags.fin | tcpFlags.rst },
  operator: "==",
  right: numberData("tcp_flag", 0),
};

/** Whether the set has the key. */
export function inSet(key: readonly Expression[], set: NftSet): Statement {
  return { kind: "lookup", key, operator: "in", set };
}

/** Whether the packet came in from a LAN: in-cluster clients come by other interfaces. */
export function fromLan(ip: NftIpFamily): Statement {
  return inSet([field("iifname")], sets[ip].lan_interfaces);
}

/** Whether the field has this value. */
export function is(name: FieldName, data: Data): Statement {
  return { kind: "match", left: field(name), operator: "==", right: data };
}

/** Ends the chain for what is for none of our addresses, so that it costs one lookup and not those of the rules behind. */
export function acceptOthers(ip: NftIpFamily): NftRule {
  const key = [field(`${ip} daddr`)];
  return [{ kind: "lookup", key, operator: "not in", set: sets[ip].service_addresses }, accept];
}

/** Whether the port has source ranges and the client is in none of them. */
export function outsideRanges(ip: NftIpFamily): readonly Statement[] {
  const service = serviceKey(ip);
  const { source_range_services, source_ranges } = sets[ip];
  return [
    inSet(service, source_range_services),
    { kind: "lookup", key: [...service, field(`${ip} saddr`)], operator: "not in", set: source_ranges },
  ];
}

/** The protocols that we forward ourselves, as nft spells them. */
export const forwardedProtocols = ["tcp", "udp"] as const;

/**
 * Rewrites address and port of a packet for a Service to the node's own address and node port; does not match where the port has none. The map
 * lookup comes before any field of its key is overwritten.
 */
export function rewriteToNodePort(ip: NftIpFamily, protocol: "tcp" | "udp", node: Data): readonly Statement[] {
  const key = concatenation(`${ip} daddr`, "meta l4proto", `${protocol} dport`);
  return [
    { kind: "set", field: `${protocol} dport`, to: { kind: "map", key, map: sets[ip].node_ports } },
    { kind: "set", field: `${ip} daddr`, to: constant(ip === "ip" ? "ipv4_addr" : "ipv6_addr", node) },
  ];
}
