import { addressData, type Data, numberData, protocolData } from "../../src/nft/data.ts";
import { concatenation, constant, field } from "../../src/nft/expression.ts";
import type { FieldName } from "../../src/nft/field.ts";
import type { MatchOperator, NftRule, Statement } from "../../src/nft/statement.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import type { NextHop } from "./element.ts";
import { sets } from "./sets.ts";
import {
  accept,
  drop,
  endsNothing,
  forwardedProtocols,
  fromLan,
  inSet,
  is,
  isInState,
  isKnown,
  isSyn,
  jump,
  leaveChain,
  outsideRanges,
  rewriteToNodePort,
} from "./statements.ts";

/**
 * The hop limit that a packet is passed on with. The kernel counts each pass as a router (net/ipv4/netfilter/nf_dup_ipv4.c), so that the next
 * node receives one less. No node ever raises it: however much the nodes disagree, a packet is passed on at most five times. Without that, ten
 * packets between three such nodes made a million passes in a second.
 */
const passedHopLimit = 13;

/**
 * With this hop limit or less, nothing is passed on but doubtful packets that another node has passed on. What another node has passed on is at its
 * fourth node then.
 */
const spentHopLimit = 10;

/** What another node has passed on with this hop limit is at its third node. */
const passedTwiceHopLimit = 11;

/** The first two for doubtful packets: at their hop limit each node sees that they are. */
const doubtfulHopLimit = 9;
const spentDoubtfulHopLimit = 6;

/** Notes that `rewrite_to_node_port` has rewritten a packet, until `pass_on`. Connection tracking keeps the zone of new connections only. */
const rewritten = numberData("classid", 0xbe11_0001);
const isRewritten: Statement = is("meta priority", rewritten);
export const isNotRewritten: Statement = {
  kind: "match",
  left: field("meta priority"),
  operator: "!=",
  right: rewritten,
};
export const noteRewrite: Statement = { kind: "set", field: "meta priority", to: constant("classid", rewritten) };
const forgetRewrite: Statement = {
  kind: "set",
  field: "meta priority",
  to: constant("classid", numberData("classid", 0)),
};

function hopLimit(ip: NftIpFamily, operator: MatchOperator, value: number): Statement {
  return { kind: "match", left: field(hopLimitField(ip)), operator, right: numberData("hop_limit", value) };
}

function hopLimitField(ip: NftIpFamily): FieldName {
  return ip === "ip" ? "ip ttl" : "ip6 hoplimit";
}

/**
 * Packets of connections that this node does not know. `node`: the address of the node, where ports are rewritten to node ports; those packets
 * have their Service's address back in between.
 */
export function passOnRules(ip: NftIpFamily, node: Data | undefined): readonly NftRule[] {
  const isUnknown = isInState("new", "invalid");
  const toUnknown = jump("unknown_packet");
  if (node === undefined) return [[isUnknown, fromLan(ip), toUnknown]];
  return [
    [isRewritten, isKnown, forgetRewrite, accept],
    ...forwardedProtocols.map((protocol): NftRule => {
      const sent = concatenation("meta l4proto", `${protocol} dport`);
      const { reply_addresses, reply_ports } = sets[ip];
      return [
        isRewritten,
        { kind: "set", field: `${ip} daddr`, to: { kind: "map", key: sent, map: reply_addresses } },
        { kind: "set", field: `${protocol} dport`, to: { kind: "map", key: sent, map: reply_ports } },
        forgetRewrite,
      ];
    }),
    // What is for none of our addresses has not left before, as it has elsewhere.
    [isUnknown, fromLan(ip), inSet([field(`${ip} daddr`)], sets[ip].service_addresses), toUnknown],
    ...forwardedProtocols.map(
      (protocol): NftRule => [isUnknown, fromLan(ip), ...rewriteToNodePort(ip, protocol, node)],
    ),
  ];
}

/**
 * Where such a packet goes. What another node passed on is known by the address of its frame and its hop limit; one that is forged is merely
 * treated as such a packet. A packet goes to the node that answers, and from there from node to node, each of which knows which one answered before it.
 * No node sends a packet back to where it came from; such a packet goes to another node. So it finds its node also while an address moves, when some
 * nodes know of the move and others do not yet.
 *
 * A plain packet that is invalid is doubtful. It may be one outside of the window of a connection that is known here: the next node would take it
 * for new, and its reset would end the connection. Or connection tracking still has an older connection from the same port of the client, from when
 * the address was here before, and the packet is of a new one that another node knows. So it is passed on as well, and no node resets it. Where
 * every unknown packet is invalid (`tcpLoose` false), none is doubtful.
 */
export function unknownPacketRules(ip: NftIpFamily, tcpLoose: boolean): readonly NftRule[] {
  const { peer_macs, next_hop_macs, passed_flows, returned_flows, unknown_flows } = sets[ip];
  const key = concatenation(`${ip} daddr`, "meta l4proto");
  const toNext: Statement = { kind: "vmap", key, map: unknown_flows };
  const toNextAfterPass: Statement = { kind: "vmap", key, map: passed_flows };
  const isReturned = inSet(concatenation(`${ip} daddr`, "ether saddr"), next_hop_macs);
  const toAnother: Statement = { kind: "vmap", key, map: returned_flows };
  const passedOn = (most: number) => [inSet([field("ether saddr")], peer_macs), hopLimit(ip, "<=", most)];
  const isPassedOn = passedOn(passedHopLimit - 1);
  const isDoubtful = passedOn(doubtfulHopLimit - 1);
  const udp = is("meta l4proto", protocolData("udp"));
  const isSpentTcp: readonly Statement[] = [
    is("meta l4proto", protocolData("tcp")),
    ...passedOn(spentHopLimit),
    hopLimit(ip, ">", doubtfulHopLimit),
  ];
  const invalid = isInState("invalid");
  const doubtful: readonly Statement[] = [invalid, endsNothing, setHopLimit(ip, doubtfulHopLimit)];
  return [
    [isSyn, leaveChain],
    [invalid, udp, leaveChain],
    // A ping. Errors about unknown connections are invalid.
    [isInState("new"), is("meta l4proto", protocolData(ip === "ip" ? "icmp" : "icmpv6")), leaveChain],
    [...isDoubtful, isReturned, toAnother],
    [...isDoubtful, toNextAfterPass],
    [...isDoubtful, toNext],
    ...unknownConnectionRules(ip).map((rule): NftRule => [...isSpentTcp, ...rule]),
    [hopLimit(ip, "<=", spentHopLimit), leaveChain],
    ...(tcpLoose ? [[...isPassedOn, isReturned, ...doubtful, toAnother]] : []),
    [...isPassedOn, isReturned, toAnother],
    [...isPassedOn, isReturned, leaveChain],
    // The flow is probably new: the node that answers takes it.
    [udp, ...passedOn(passedTwiceHopLimit), toNext],
    ...(tcpLoose ? [[...isPassedOn, ...doubtful, toNextAfterPass]] : []),
    [...isPassedOn, toNextAfterPass],
    ...(tcpLoose ? [[...doubtful, toNext]] : []),
    [toNext],
  ];
}

function setHopLimit(ip: NftIpFamily, value: number): Statement {
  return { kind: "set", field: hopLimitField(ip), to: constant("hop_limit", numberData("hop_limit", value)) };
}

/** The rules of the chain that passes packets on to a node. */
export function nextHopRules(ip: NftIpFamily, { address, device }: NextHop): readonly NftRule[] {
  const to = constant(ip === "ip" ? "ipv4_addr" : "ipv6_addr", addressData(address));
  return [
    [hopLimit(ip, "<=", spentDoubtfulHopLimit), drop],
    [hopLimit(ip, ">", passedHopLimit), setHopLimit(ip, passedHopLimit)],
    [{ kind: "counter" }, { kind: "dup", to, device }],
    [drop],
  ];
}

/**
 * The rules for TCP packets of a connection that no node knows. They are reset, so that the client need not wait. A FIN or a reset
 * is not answered: it may be an invalid one of a connection that another node knows. The same holds for doubtful packets.
 */
export function unknownConnectionRules(ip: NftIpFamily): readonly NftRule[] {
  return [
    [...outsideRanges(ip), drop],
    [endsNothing, hopLimit(ip, ">", doubtfulHopLimit), { kind: "reject", with: "tcp reset" }],
    [drop],
  ];
}
