import { Attributes } from "../netlink/attributes.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import { align } from "../netlink/layout.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";
import type { NetlinkMessage } from "../netlink/messages.ts";

/** A route of the main table by one interface. Plain data. */
export interface KernelRoute {
  readonly interfaceIndex: number;
  /** 4 or 16 bytes. */
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  /** The router, or undefined for hosts on the link. Of the same family as the destination. */
  readonly gateway: Uint8Array | undefined;
  readonly metric: number;
}

/** RTM_GETROUTE and RTM_NEWROUTE (linux/rtnetlink.h). */
export const routeMessages = { get: 26, present: 24 } as const;

/** AF_INET, AF_INET6. */
export const routeFamilies = { IPv4: 2, IPv6: 10 } as const;

/** struct rtmsg: family, destination length, source length, tos, table, protocol, scope, type, all u8; flags u32. */
const headerLength = 12;
const mainTable = 254;
/** RTN_UNICAST: neither local nor anycast nor one that rejects. */
const unicast = 1;
/** RTM_F_CLONED and RTNH_F_DEAD: an exception of IPv6 (path MTU), and a route whose link is down. */
const clonedFlag = 0x200;
const deadFlag = 0x1;

/** RTA_*. */
const attributes = { destination: 1, interfaceIndex: 4, gateway: 5, metric: 6, nextHops: 9, table: 15 } as const;
/** struct rtnexthop: length u16, flags u8, hops u8, interface index i32; attributes follow. */
const nextHopLength = 8;

/** Writes a request for the routes of one family in the main table. Kernels before 4.20 list every table. */
export function requestRoutes(family: number): (writer: MessageWriter) => void {
  const header = new Uint8Array(headerLength);
  header[0] = family;
  header[4] = mainTable;
  return (writer) => writer.raw(header);
}

/** The routes in a message: one for each next hop. None for messages about something else, and for routes that do not forward to a host. */
export function readRoutes({ type, payload }: NetlinkMessage): readonly KernelRoute[] {
  if (type !== routeMessages.present || payload.length < headerLength) return [];
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const [family, prefixLength, sourceLength] = [view.getUint8(0), view.getUint8(1), view.getUint8(2)];
  const length = family === routeFamilies.IPv4 ? 4 : family === routeFamilies.IPv6 ? 16 : undefined;
  if (length === undefined || prefixLength > length * 8 || sourceLength !== 0) return [];
  if (view.getUint8(7) !== unicast || (view.getUint32(8, hostIsLittleEndian) & (clonedFlag | deadFlag)) !== 0)
    return [];
  const found = new Attributes(payload, headerLength);
  if ((found.u32(attributes.table) ?? view.getUint8(4)) !== mainTable) return [];
  const destination = new Uint8Array(length);
  const given = found.bytes(attributes.destination);
  if (given !== undefined && given.length === length) destination.set(given);
  const route = { destination, prefixLength, metric: found.u32(attributes.metric) ?? 0 };
  const hops = found.bytes(attributes.nextHops);
  const nextHops = hops === undefined ? [nextHopOf(found)] : readNextHops(hops);
  return nextHops.flatMap(({ interfaceIndex, gateway }) => {
    if (interfaceIndex === undefined) return [];
    return [{ ...route, interfaceIndex, gateway: gateway?.length === length ? gateway : undefined }];
  });
}

interface NextHop {
  readonly interfaceIndex: number | undefined;
  readonly gateway: Uint8Array | undefined;
}

function nextHopOf(found: Attributes, interfaceIndex = found.u32(attributes.interfaceIndex)): NextHop {
  const gateway = found.bytes(attributes.gateway);
  return { interfaceIndex, gateway: gateway && Uint8Array.from(gateway) };
}

/** Stops where a length leads past the end. */
function readNextHops(bytes: Uint8Array): readonly NextHop[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hops: NextHop[] = [];
  for (let at = 0; at + nextHopLength <= bytes.length; ) {
    const length = view.getUint16(at, hostIsLittleEndian);
    if (length < nextHopLength || at + length > bytes.length) break;
    if ((view.getUint8(at + 2) & deadFlag) === 0) {
      const found = new Attributes(bytes, at + nextHopLength, at + length);
      hops.push(nextHopOf(found, view.getInt32(at + 4, hostIsLittleEndian)));
    }
    at += align(length);
  }
  return hops;
}
