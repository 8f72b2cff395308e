import { BellhopError } from "../error/error.ts";
import { Attributes } from "../netlink/attributes.ts";
import { errnoName } from "../netlink/errno.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";
import type { NetlinkMessage } from "../netlink/messages.ts";
import {
  netfilterFamilies,
  netfilterHeaderLength,
  netfilterSubsystems,
  netfilterType,
  writeNetfilterHeader,
} from "../netlink/netfilter.ts";
import type { NetlinkRequests } from "../netlink-socket/requests.ts";
import { readTuple, type Tuple, writeTuple } from "./tuple.ts";

/** A flow of UDP, or a connection of TCP, in the connection tracking table. */
export interface TrackedFlow {
  /** As the client sends. */
  readonly original: Tuple;
  /** As the answers come. */
  readonly reply: Tuple;
  /** A zone of both directions; 0 is the default one. */
  readonly zone: number;
  /** Of a connection that both sides have ended: its entry waits for late packets alone. */
  readonly timeWait: boolean;
  /** Tells this flow from a later one with the same addresses and ports. */
  readonly id: number | undefined;
}

export type FlowFamily = "IPv4" | "IPv6";

/** Numbers of the protocols (IANA). */
const protocols = { tcp: 6, udp: 17 } as const;
export type FlowProtocol = keyof typeof protocols;

/** Messages of ctnetlink (enum cntl_msg_types), and their attributes (enum ctattr_type). */
const messages = { present: 0, get: 1, delete: 2 } as const;
const attributes = { original: 1, reply: 2, protocolInfo: 4, id: 12, zone: 18, filter: 25 } as const;
/** CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE; TCP_CONNTRACK_TIME_WAIT (linux/netfilter/nf_conntrack_tcp.h). */
const protocolInfo = { tcp: 1, tcpState: 1 } as const;
const tcpTimeWait = 7;
/** CTA_FILTER_ORIG_FLAGS, CTA_FILTER_REPLY_FLAGS (host order): which parts of the tuples count. 8: the protocol. */
const filterAttributes = { original: 1, reply: 2 } as const;
const filterByProtocol = 8;
const tupleProtocol = { protocol: 2, number: 1 } as const;

const families = { IPv4: netfilterFamilies.ip, IPv6: netfilterFamilies.ip6 } as const;

/** So many deletions go into one datagram. An error of each would still fit into the socket's buffer by default. */
const deletionsAtOnce = 100;

/** So many stale flows are remembered at once, about 10 MB of them. Where there are more, the table is searched again. */
const flowsAtOnce = 20_000;

/** Not more often, because clients may make new stale flows all the time: a million flows. */
const maxSearches = 50;

/**
 * Deletes the flows of a family and protocol that are stale; returns how many. Works in steps, between which the caller may do other work: a table may have
 * hundreds of thousands of flows. `isStale` must decide by values: the flow's addresses are views. Needs CAP_NET_ADMIN, and a socket that is used for nothing
 * else. Throws BellhopError NetlinkRefused, NetlinkMalformed or SocketFailed; where the kernel refuses to delete some of the flows, after all
 * others were deleted. Older kernels do so with EBUSY for flows in a flowtable (ctnetlink_del_conntrack).
 */
export function* deleteFlows(
  kernel: NetlinkRequests,
  family: FlowFamily,
  protocol: FlowProtocol,
  isStale: (flow: TrackedFlow) => boolean,
): Generator<void, number> {
  let deleted = 0;
  for (let searches = 1; ; searches++) {
    const { stale, all } = yield* findStale(kernel, family, protocol, isStale);
    const refused: number[] = [];
    for (let at = 0; at < stale.length; at += deletionsAtOnce) {
      yield;
      const some = stale.slice(at, at + deletionsAtOnce);
      const fills = some.map((flow) => (writer: MessageWriter) => fillDeletion(writer, family, flow));
      const failed = kernel.change(type(messages.delete), fills);
      // Flows that have ended meanwhile are not there, which is as well.
      deleted += some.length - failed.missing - failed.refused.length;
      refused.push(...failed.refused);
    }
    const [first] = refused;
    if (first !== undefined) {
      const words = `the kernel refused to delete ${refused.length} of ${stale.length} flows: ${errnoName(first)}`;
      throw new BellhopError("NetlinkRefused", words);
    }
    if (all || searches === maxSearches) return deleted;
  }
}

/** The stale flows, copied; not all of them where there are too many to remember. */
function* findStale(
  kernel: NetlinkRequests,
  family: FlowFamily,
  protocol: FlowProtocol,
  isStale: (flow: TrackedFlow) => boolean,
): Generator<void, { readonly stale: readonly TrackedFlow[]; readonly all: boolean }> {
  const stale: TrackedFlow[] = [];
  let all = true;
  const dump = kernel.dump(type(messages.get), requestFlows(family, protocol), (message) => {
    const flow = readFlow(message, protocol);
    if (flow === undefined || !isStale(flow)) return;
    if (stale.length < flowsAtOnce) stale.push(copyOf(flow));
    else all = false;
  });
  while (!dump.step()) yield;
  return { stale, all };
}

function type(message: number): number {
  return netfilterType(netfilterSubsystems.ctnetlink, message);
}

/** The kernel filters by protocol since 5.8. Addresses are left to us: its filter for those of IPv6 selects all others instead. */
function requestFlows(family: FlowFamily, name: FlowProtocol): (writer: MessageWriter) => void {
  return (writer) => {
    writeNetfilterHeader(writer, families[family]);
    const original = writer.beginNested(attributes.original);
    const protocol = writer.beginNested(tupleProtocol.protocol);
    writer.u8(tupleProtocol.number, protocols[name]);
    writer.endNested(protocol);
    writer.endNested(original);
    const filter = writer.beginNested(attributes.filter);
    writer.u32(filterAttributes.original, filterByProtocol);
    writer.u32(filterAttributes.reply, 0);
    writer.endNested(filter);
  };
}

/** Undefined for flows of other protocols, which an older kernel lists too, and for other messages. */
function readFlow(message: NetlinkMessage, protocol: FlowProtocol): TrackedFlow | undefined {
  if (message.type !== type(messages.present)) return undefined;
  const found = new Attributes(message.payload, netfilterHeaderLength);
  const original = found.nested(attributes.original);
  const from = original && readTuple(original);
  if (from === undefined || from.protocol !== protocols[protocol]) return undefined;
  const reply = found.nested(attributes.reply);
  const back = reply && readTuple(reply);
  if (back === undefined) return undefined;
  const tcp = found.nested(attributes.protocolInfo)?.nested(protocolInfo.tcp);
  return {
    original: from,
    reply: back,
    zone: found.u16Be(attributes.zone) ?? 0,
    timeWait: tcp?.u8(protocolInfo.tcpState) === tcpTimeWait,
    id: found.u32Be(attributes.id),
  };
}

function copyOf(flow: TrackedFlow): TrackedFlow {
  const copy = (tuple: Tuple): Tuple => ({
    ...tuple,
    source: Uint8Array.from(tuple.source),
    destination: Uint8Array.from(tuple.destination),
  });
  return { ...flow, original: copy(flow.original), reply: copy(flow.reply) };
}

/**
 * A deletion without a tuple would delete every flow of the machine, so the tuple is complete by its type, and is written whole. Version 1 would
 * keep such a deletion to its family.
 */
function fillDeletion(writer: MessageWriter, family: FlowFamily, { original, zone, id }: TrackedFlow): void {
  writeNetfilterHeader(writer, families[family], 0, 1);
  writeTuple(writer, attributes.original, original);
  if (id !== undefined) writer.u32Be(attributes.id, id);
  if (zone !== 0) writer.u16Be(attributes.zone, zone);
}
