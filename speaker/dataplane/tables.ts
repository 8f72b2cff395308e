import type { IpFamily } from "../../src/ip/address.ts";
import type { BaseChain, NftCommand, NftFamily } from "../../src/nft/transaction.ts";
import { type EndpointPick, pickChainName, type SetName } from "./element.ts";

/** The name of our table in each family. No other table is ever read or written. */
export const tableName = "bellhop";

export const nftFamilies: Readonly<Record<IpFamily, NftFamily>> = { IPv4: "ip", IPv6: "ip6" };

/** The protocols that we forward ourselves, as nft spells them. */
const forwardedProtocols = ["tcp", "udp"] as const;

/** The settings that the fixed part of a table depends on. */
export interface TableSettings {
  /** The address of this node on which kube-proxy takes node ports; undefined: no rewrite to node ports in this family. */
  readonly nodeAddress: string | undefined;
  /** The one bit that marks packets and connections of the rewrite to node ports. */
  readonly markBit: number;
}

const addressType = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;

function sets(family: NftFamily): Readonly<Record<SetName, string>> {
  const address = addressType[family];
  const service = `${address} . inet_proto . inet_service`;
  return {
    lan_interfaces: "type ifname;",
    service_addresses: `type ${address};`,
    source_range_services: `type ${service};`,
    source_ranges: `type ${service} . ${address}; flags interval;`,
    no_endpoint_services: `type ${service};`,
    node_ports: `type ${service} : inet_service;`,
    reply_addresses: `type inet_proto . inet_service : ${address};`,
    reply_ports: "type inet_proto . inet_service : inet_service;",
    dnat_services: `type ${service} : verdict;`,
    // The index has no type name, so the type is given by an example of the key. That example must name a protocol, and all rules on
    // the map the same one: nft 1.0.6 takes `th dport` at first, and then refuses every further rule on the map ("conflicting
    // protocols specified").
    tcp_endpoints: `typeof ${family} daddr . tcp dport . numgen random mod 2 : ${family} daddr . tcp dport;`,
    udp_endpoints: `typeof ${family} daddr . udp dport . numgen random mod 2 : ${family} daddr . udp dport;`,
    remote_endpoints: `type ${address} . inet_proto . ${address} . inet_service;`,
  };
}

/**
 * The hooks and priorities of our chains. For comparison: connection tracking -200, kube-proxy's source-range filter -110 and its nat -100
 * and 100, its refusals 0 (pkg/proxy/nftables/proxier.go). Fragments are put together at -400, before all of them.
 */
const baseChains = {
  check_source_ranges: { type: "filter", hook: "prerouting", priority: -320 },
  reject_no_endpoints: { type: "filter", hook: "prerouting", priority: -315 },
  rewrite_to_node_port: { type: "filter", hook: "prerouting", priority: -310 },
  save_mark: { type: "filter", hook: "prerouting", priority: -190 },
  dnat_to_endpoints: { type: "nat", hook: "prerouting", priority: -110 },
  drop_unhandled: { type: "filter", hook: "forward", priority: 10 },
  masquerading: { type: "nat", hook: "postrouting", priority: 90 },
  unrewrite: { type: "filter", hook: "postrouting", priority: 310 },
} as const satisfies Record<string, BaseChain>;

/** Sets, chains and rules of a fresh table, without elements. */
export function createTable(family: NftFamily, settings: TableSettings): readonly NftCommand[] {
  return [
    { kind: "addTable" },
    ...Object.entries(sets(family)).map(([set, declaration]): NftCommand => ({ kind: "addSet", set, declaration })),
    ...Object.entries(baseChains).map(([chain, base]): NftCommand => ({ kind: "addChain", chain, base })),
    ...Object.entries(rules(family, settings)).flatMap(([chain, texts]) =>
      texts.map((rule): NftCommand => ({ kind: "addRule", chain, rule })),
    ),
  ];
}

/** Removes the table, whether it is there or not. */
export const removeTable: readonly NftCommand[] = [{ kind: "addTable" }, { kind: "deleteTable" }];

function rules(ip: NftFamily, settings: TableSettings): Readonly<Record<keyof typeof baseChains, readonly string[]>> {
  const service = `${ip} daddr . meta l4proto . th dport`;
  return {
    check_source_ranges: [`${service} @source_range_services ${service} . ${ip} saddr != @source_ranges drop`],
    reject_no_endpoints: refusalRules(ip),
    ...nodePortRules(ip, settings),
    dnat_to_endpoints: [`iifname @lan_interfaces ${service} vmap @dnat_services`],
    // Handled neither by us nor by kube-proxy: without this rule the packet goes back to the LAN that it came from.
    drop_unhandled: [`iifname @lan_interfaces ${ip} daddr @service_addresses drop`],
    masquerading: [
      `iifname @lan_interfaces ct status dnat ct original ${ip} daddr . meta l4proto . ${ip} daddr . th dport @remote_endpoints masquerade fully-random`,
    ],
  };
}

/**
 * A reject at prerouting (Linux 5.9, net/netfilter/nft_reject.c) leaves no connection behind, and the packet is not routed:
 * the kernel would send the client an ICMP redirect, which counts against the client's allowance of ICMP
 * errors (net/ipv4/route.c, ip_rt_send_redirect). A reset needs no such allowance. Only a SYN is answered with one, because
 * connections to a pod that is no longer ready continue. Other protocols get ICMP port unreachable.
 */
function refusalRules(ip: NftFamily): readonly string[] {
  const unserved = `${ip} daddr . meta l4proto . th dport @no_endpoint_services`;
  return [
    `iifname @lan_interfaces tcp flags & (fin|syn|rst|ack) == syn ${unserved} reject with tcp reset`,
    `iifname @lan_interfaces meta l4proto != tcp ${unserved} reject`,
  ];
}

/**
 * The rewrite to this node's node port happens before connection tracking, because the kernel takes one nat decision per packet
 * and that one is kube-proxy's. So the way back is ours, too. The port statements name TCP and UDP because only these keep
 * the checksum right; the map lookup comes before any field of its key is overwritten.
 *
 * After the rewrite a client that uses one port for the address and for the node port is one flow. Its UDP answers go by its
 * last datagram: one without our mark takes the mark off the flow. A TCP connection starts a new flow once the other is closed.
 */
function nodePortRules(
  ip: NftFamily,
  settings: TableSettings,
): Readonly<Record<"rewrite_to_node_port" | "save_mark" | "unrewrite", readonly string[]>> {
  const { nodeAddress, markBit } = settings;
  if (nodeAddress === undefined) return { rewrite_to_node_port: [], save_mark: [], unrewrite: [] };
  const bit = hex(markBit);
  const others = hex(~markBit >>> 0);
  return {
    rewrite_to_node_port: forwardedProtocols.map(
      (protocol) =>
        `iifname @lan_interfaces ${protocol} dport set ${ip} daddr . meta l4proto . ${protocol} dport map @node_ports ` +
        `${ip} daddr set ${nodeAddress} meta mark set meta mark or ${bit}`,
    ),
    save_mark: [
      `meta l4proto udp ct direction original ct mark and ${bit} == ${bit} meta mark and ${bit} != ${bit} ` +
        `ct mark set ct mark and ${others}`,
      `meta mark and ${bit} == ${bit} ct mark set ct mark or ${bit} meta mark set meta mark and ${others}`,
    ],
    unrewrite: forwardedProtocols.map(
      (protocol) =>
        `ct direction reply ct mark and ${bit} == ${bit} ${ip} saddr ${nodeAddress} ` +
        `${ip} saddr set meta l4proto . ${protocol} sport map @reply_addresses ` +
        `${protocol} sport set meta l4proto . ${protocol} sport map @reply_ports`,
    ),
  };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** Makes the chain that picks one of so many endpoints. */
export function createPickChain(family: NftFamily, pick: EndpointPick): readonly NftCommand[] {
  const chain = pickChainName(pick);
  const index = pick.by === "client" ? `jhash ${family} saddr mod ${pick.count}` : `numgen random mod ${pick.count}`;
  const rules = forwardedProtocols.map(
    (protocol) => `dnat to ${family} daddr . ${protocol} dport . ${index} map @${protocol}_endpoints`,
  );
  return [{ kind: "addChain", chain }, ...rules.map((rule): NftCommand => ({ kind: "addRule", chain, rule }))];
}
