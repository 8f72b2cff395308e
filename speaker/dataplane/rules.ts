import { parseAddress } from "../../src/ip/address.ts";
import {
  addressData,
  ctDirections,
  ctStatuses,
  type Data,
  numberData,
  protocolData,
  tcpFlags,
} from "../../src/nft/data.ts";
import { concatenation, constant, type Expression, field } from "../../src/nft/expression.ts";
import type { NftSet } from "../../src/nft/set.ts";
import type { NftRule, Statement } from "../../src/nft/statement.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import type { AffinityPort, EndpointPick } from "./element.ts";
import { isNotRewritten, noteRewrite, passOnRules, unknownPacketRules } from "./pass-on-rules.ts";
import { rewriteZone } from "./rewrite-zone.ts";
import { affinityClients, learnedClients, sets, untakenMs, untakenServices } from "./sets.ts";
import {
  accept,
  acceptOthers,
  drop,
  forwardedProtocols,
  fromLan,
  inSet,
  is,
  isEchoRequest,
  isInState,
  isKnown,
  isNew,
  isSolicitation,
  isSyn,
  jump,
  leaveChain,
  originalService,
  outsideRanges,
  rewriteToNodePort,
  serviceKey,
  tcpControl,
} from "./statements.ts";

const zone = numberData("ct_zone", rewriteZone);
const inRewriteZone: Statement = is("ct original zone", zone);

/** The settings that the rules depend on. */
export interface RuleSettings {
  /**
   * The address of this node on which kube-proxy takes node ports, and undefined where no port of this family is rewritten to one. Rewriting needs two
   * more base chains.
   */
  readonly nodeAddress: string | undefined;
  /**
   * Whether connection tracking takes a TCP packet in the middle of a connection that it does not know for a new one
   * (net.netfilter.nf_conntrack_tcp_loose); otherwise such a packet is invalid. Missing: it does, which is the kernel's default.
   */
  readonly tcpLoose?: boolean;
  /** Whether ports are rewritten to node ports for clients in the cluster, too. Missing: none is. */
  readonly servesInCluster?: boolean;
}

/** The rules of each base chain. One without rules is not made, because a hook costs every packet that passes it. */
export type BaseRules = Readonly<
  Record<
    | "before_tracking"
    | "before_translation"
    | "rewrite_output"
    | "check_output_source_ranges"
    | "dnat_to_endpoints"
    | "drop_on_node"
    | "drop_unhandled"
    | "masquerading"
    | "unrewrite"
    | "unrewrite_input",
    readonly NftRule[]
  >
>;

/** The rules of chains that base chains jump to. */
export type InnerRules = Readonly<
  Record<
    | "reject_no_endpoints"
    | "rewrite_to_node_port"
    | "pass_on"
    | "unknown_packet"
    | "check_source_ranges"
    | "remember_affinity",
    readonly NftRule[]
  >
>;

export function innerRules(ip: NftIpFamily, settings: RuleSettings): InnerRules {
  const { tcpLoose = true, servesInCluster = false } = settings;
  return {
    reject_no_endpoints: [
      ...refusalRules(ip, fromLan(ip)),
      ...(servesInCluster ? refusalRules(ip, toInCluster(ip)) : []),
      ...solicitationRules(ip),
    ],
    rewrite_to_node_port: rewriteRules(ip, settings),
    pass_on: passOnRules(ip, nodeAddressOf(settings)),
    unknown_packet: unknownPacketRules(ip, tcpLoose),
    check_source_ranges: sourceRangeRules(ip, settings),
    remember_affinity: [[{ kind: "vmap", key: [field(`ct original ${ip} daddr`)], map: sets[ip].affinity_addresses }]],
  };
}

/**
 * What is for none of our addresses leaves each chain by its first rule. What is refused, passed on or excluded is decided in one base chain, where
 * the address is still that of the Service. Only ports that are rewritten are refused before tracking, because that is where they are rewritten.
 */
function preroutingRules(
  ip: NftIpFamily,
  settings: RuleSettings,
): Pick<BaseRules, "before_tracking" | "before_translation"> {
  const refuse: NftRule = [jump("reject_no_endpoints")];
  const newConnections: readonly NftRule[] = [[jump("pass_on")], [jump("check_source_ranges")]];
  if (nodeAddressOf(settings) === undefined)
    return { before_tracking: [], before_translation: [acceptOthers(ip), refuse, ...newConnections] };
  return {
    before_tracking: [acceptOthers(ip), refuse, [jump("rewrite_to_node_port")]],
    before_translation: [[isKnown, isNotRewritten, accept], ...newConnections],
  };
}

export function baseRules(ip: NftIpFamily, settings: RuleSettings): BaseRules {
  const our = sets[ip];
  // Behind the translation, so that the packet shows its endpoint. New connections renew the time, as kube-proxy's do; others do not.
  const remember: NftRule = [isNew, fromLan(ip), jump("remember_affinity")];
  return {
    ...preroutingRules(ip, settings),
    check_output_source_ranges: settings.servesInCluster === true ? sourceRangeRules(ip, settings).slice(1) : [],
    ...wayBackRules(ip, settings),
    rewrite_output: outputRules(ip, settings),
    dnat_to_endpoints: [
      [fromLan(ip), { kind: "vmap", key: serviceKey(ip), map: our.dnat_services }],
      [
        isEchoRequest(ip),
        fromLan(ip),
        { kind: "dnat", to: { kind: "map", key: [field(`${ip} daddr`)], map: our.ping_addresses } },
      ],
    ],
    // An interface of the node may have the address, as in IPVS mode: nothing else that the node serves is reached by it. What IPVS takes
    // has gone before.
    drop_on_node: [remember, [inSet([field(`${ip} daddr`)], our.service_addresses), fromLan(ip), drop]],
    // Handled neither by us nor by kube-proxy: without the last rule the packet goes back to the LAN that it came from. A connection that someone
    // has answered is handled: what is dropped here never becomes one.
    drop_unhandled: [
      [isInState("established", "related"), accept],
      remember,
      acceptOthers(ip),
      ...untakenRules(ip),
      [fromLan(ip), drop],
    ],
    masquerading: [
      // A pod of this node that is itself on the LAN would answer the client directly, from its own address.
      [
        fromLan(ip),
        isTranslated,
        inSet([field("oifname")], our.lan_interfaces),
        inSet([field(`ct original ${ip} daddr`)], our.service_addresses),
        { kind: "masquerade", fullyRandom: true },
      ],
      [
        fromLan(ip),
        isTranslated,
        inSet(
          concatenation(`ct original ${ip} daddr`, "meta l4proto", `${ip} daddr`, "th dport"),
          our.remote_endpoints,
        ),
        { kind: "masquerade", fullyRandom: true },
      ],
    ],
  };
}

/** Notes ports that are left to a service proxy when a new connection is about to be dropped, because the proxy has not taken it. */
function untakenRules(ip: NftIpFamily): readonly NftRule[] {
  const key = serviceKey(ip);
  const note: readonly Statement[] = [
    fromLan(ip),
    inSet(key, sets[ip].proxied_services),
    { kind: "update", set: untakenServices[ip], key, timeoutMs: untakenMs },
  ];
  return [
    [isNew, isSyn, ...note],
    [isNew, is("meta l4proto", protocolData("udp")), ...note],
  ];
}

const isTranslated: Statement = {
  kind: "match",
  left: field("ct status"),
  operator: "any",
  right: numberData("ct_status", ctStatuses.dnat),
};

/**
 * Source ranges apply to new connections, as kube-proxy's do: one that is open stays open when its client is excluded. A rewritten
 * connection has the address of the node by then, and is known by its zone.
 */
function sourceRangeRules(ip: NftIpFamily, { nodeAddress }: RuleSettings): readonly NftRule[] {
  const { source_range_node_ports, node_port_source_ranges } = sets[ip];
  const atService: NftRule = [isNew, ...outsideRanges(ip), drop];
  if (nodeAddress === undefined) return [atService];
  const nodePort = concatenation("meta l4proto", "th dport");
  return [
    atService,
    [
      isNew,
      inRewriteZone,
      inSet(nodePort, source_range_node_ports),
      { kind: "lookup", key: [...nodePort, field(`${ip} saddr`)], operator: "not in", set: node_port_source_ranges },
      drop,
    ],
  ];
}

/**
 * Clients outside the source ranges get no answer: `check_source_ranges` drops their packets.
 *
 * A reject at prerouting (Linux 5.9, net/netfilter/nft_reject.c) leaves no connection behind, and the packet is not routed:
 * the kernel would send the client an ICMP redirect, which counts against the client's allowance of ICMP
 * errors (net/ipv4/route.c, ip_rt_send_redirect). A reset needs no such allowance. Only a SYN is answered with one, because
 * connections to a pod that is no longer ready continue. Other protocols get ICMP port unreachable.
 */
function refusalRules(ip: NftIpFamily, from: Statement): readonly NftRule[] {
  const unserved = inSet(serviceKey(ip), sets[ip].no_endpoint_services);
  return [
    [from, unserved, ...outsideRanges(ip), leaveChain],
    [from, isSyn, unserved, { kind: "reject", with: "tcp reset" }],
    [
      from,
      { kind: "match", left: field("meta l4proto"), operator: "!=", right: protocolData("tcp") },
      unserved,
      { kind: "reject", with: "port-unreachable" },
    ],
  ];
}

/**
 * A neighbor that knows the hardware address asks that node again about every 30 s, by a packet to the address itself (RFC 4861 section 7.3.3). The
 * responder has seen it by then. The kernel would route it back to the LAN, and send the neighbor a redirect that counts as those above do.
 */
function solicitationRules(ip: NftIpFamily): readonly NftRule[] {
  return ip === "ip6" ? [[isSolicitation, fromLan(ip), drop]] : [];
}

/** Whether the packet is for a port that is rewritten to its node port for clients in the cluster, too. */
function toInCluster(ip: NftIpFamily): Statement {
  return inSet(serviceKey(ip), sets[ip].in_cluster_services);
}

/**
 * The rewrite to this node's node port happens before connection tracking, because the kernel takes one nat decision per packet
 * and that one is kube-proxy's. So the way back is ours, too. The port statements name TCP and UDP because only these keep
 * the checksum right; the map lookup comes before any field of its key is overwritten.
 *
 * The zone keeps such a connection apart from one to the node port itself, and marks it on the way back. It is a zone of the direction
 * from the client alone, so that the answers, which know of no zone, find the connection.
 *
 * Packets of clients in the cluster are rewritten where no service proxy serves them: those of pods on their way in, those of the node itself on
 * their way out, and the answers to the node on their way in. No other node knows their connections, so `pass_on` need not know of the rewrite.
 * kube-proxy's ICMP errors name the node port, and would not find their connections: what has no endpoint is refused before the rewrite.
 */
function rewriteRules(ip: NftIpFamily, settings: RuleSettings): readonly NftRule[] {
  const node = nodeAddressOf(settings);
  if (node === undefined) return [];
  return [
    ...forwardedProtocols.map((protocol): NftRule => [fromLan(ip), ...rewrite(ip, protocol, node), noteRewrite]),
    ...(settings.servesInCluster === true ? inClusterRewrites(ip, node) : []),
  ];
}

/** For packets of the node itself, see `rewriteRules`. */
function outputRules(ip: NftIpFamily, settings: RuleSettings): readonly NftRule[] {
  const node = nodeAddressOf(settings);
  if (node === undefined || settings.servesInCluster !== true) return [];
  return [acceptOthers(ip), ...refusalRules(ip, toInCluster(ip)), ...inClusterRewrites(ip, node)];
}

function inClusterRewrites(ip: NftIpFamily, node: Data): readonly NftRule[] {
  return forwardedProtocols.map((protocol): NftRule => [toInCluster(ip), ...rewrite(ip, protocol, node)]);
}

function rewrite(ip: NftIpFamily, protocol: "tcp" | "udp", node: Data): readonly Statement[] {
  return [
    ...rewriteToNodePort(ip, protocol, node),
    { kind: "set", field: "ct original zone", to: constant("ct_zone", zone) },
  ];
}

/** The answers of rewritten connections, see `rewriteRules`. */
function wayBackRules(ip: NftIpFamily, settings: RuleSettings): Pick<BaseRules, "unrewrite" | "unrewrite_input"> {
  const node = nodeAddressOf(settings);
  if (node === undefined) return { unrewrite: [], unrewrite_input: [] };
  const our = sets[ip];
  const map = (key: readonly Expression[], to: NftSet): Expression => ({ kind: "map", key, map: to });
  const unrewrite = forwardedProtocols.map((protocol): NftRule => {
    const sent = concatenation("meta l4proto", `${protocol} sport`);
    return [
      is("ct direction", numberData("ct_dir", ctDirections.reply)),
      inRewriteZone,
      is(`${ip} saddr`, node),
      { kind: "set", field: `${ip} saddr`, to: map(sent, our.reply_addresses) },
      { kind: "set", field: `${protocol} sport`, to: map(sent, our.reply_ports) },
    ];
  });
  return { unrewrite, unrewrite_input: settings.servesInCluster === true ? unrewrite : [] };
}

function nodeAddressOf({ nodeAddress }: RuleSettings): Data | undefined {
  const parsed = nodeAddress === undefined ? undefined : parseAddress(nodeAddress);
  return parsed === undefined ? undefined : addressData(parsed);
}

/**
 * The rules of the chain that picks one of so many endpoints. Only packets without an entry in connection tracking come here. Of TCP these are
 * SYNs, or packets of a connection that this node does not know, as after the address has moved: a random endpoint could only reset those,
 * and the entry would lead all that follows to it. The reset comes from here instead.
 */
export function pickRules(ip: NftIpFamily, { by, count, seed }: EndpointPick): readonly NftRule[] {
  const unknown: NftRule = [
    { kind: "match", left: tcpControl, operator: "!=", right: numberData("tcp_flag", tcpFlags.syn) },
    { kind: "reject", with: "tcp reset" },
  ];
  const picks = forwardedProtocols.map((protocol): NftRule => {
    const of = by === "client" ? concatenation(`${ip} saddr`) : concatenation(`${ip} saddr`, `${protocol} sport`);
    const index: Expression = { kind: "jhash", of, modulus: count, seed };
    const key = [field(`${ip} daddr`), field(`${protocol} dport`), index];
    return [{ kind: "dnat", to: { kind: "map", key, map: sets[ip][`${protocol}_endpoints`] } }];
  });
  return by === "client" ? [unknown, knownClient(ip), ...picks] : [unknown, ...picks];
}

/** A client that has an endpoint keeps it, even where another one has its bucket now. */
function knownClient(ip: NftIpFamily): NftRule {
  const key = concatenation(`${ip} saddr`, `${ip} daddr`, "meta l4proto", "th dport");
  return [{ kind: "dnat", to: { kind: "map", key, map: affinityClients[ip] } }];
}

/**
 * The rules of the chain that finds the port with session affinity. It exists only where there is one: nft(8) before 1.1 lists
 * `ct original proto-dst`, but cannot load the list again, and some hosts save their rules that way.
 */
export function affinityPortRules(ip: NftIpFamily): readonly NftRule[] {
  return [[{ kind: "vmap", key: originalService(ip), map: sets[ip].affinity_services }]];
}

/**
 * The rules of the chain that notes which endpoint a client has, for so long after its last new connection. Where that is no longer an
 * endpoint of the port, the note is deleted instead and the packet dropped: the next one, which TCP sends after a second, gets a new choice.
 * When the map is full, its clients keep their endpoints, and further clients have those of their buckets.
 *
 * Where kube-proxy chooses, it is only learned. A packet that kube-proxy has not translated shows no endpoint.
 */
export function affinityRules(ip: NftIpFamily, { timeoutSeconds, chosenBy }: AffinityPort): readonly NftRule[] {
  const key = [field(`${ip} saddr`), ...originalService(ip)];
  const timeoutMs = timeoutSeconds * 1000;
  if (chosenBy === "kube-proxy")
    return [
      [isTranslated, { kind: "update", set: learnedClients[ip], key: [...key, field(`${ip} daddr`)], timeoutMs }],
    ];
  const data = concatenation(`${ip} daddr`, "th dport");
  const set = affinityClients[ip];
  const pair = [...originalService(ip), ...data];
  return [
    [inSet(pair, sets[ip].affinity_endpoints), { kind: "update", set, key, data, timeoutMs }],
    [
      { kind: "lookup", key: pair, operator: "not in", set: sets[ip].affinity_endpoints },
      { kind: "delete", set, key, data },
      drop,
    ],
  ];
}
