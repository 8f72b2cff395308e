import { Attributes } from "../netlink/attributes.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";
import type { NetlinkMessage } from "../netlink/messages.ts";

/** An interface as the kernel reports it. Plain data. */
export interface NetworkInterface {
  readonly index: number;
  readonly name: string;
  /** Empty where it has none. */
  readonly mac: Uint8Array;
  readonly loopback: boolean;
  /** `bridge`, `vlan`, `veth` …; undefined for network cards. */
  readonly kind: string | undefined;
  /** Whether it is part of a bridge or a bond. */
  readonly hasMaster: boolean;
  readonly carrier: boolean;
  /** RFC 2863 section 3.1.14 as linux/if.h has it (IF_OPER_*). Some drivers never report it: `unknown`. */
  readonly state: "up" | "unknown" | "other";
}

/** RTM_GETLINK and RTM_NEWLINK (linux/rtnetlink.h). */
export const interfaceMessages = { get: 18, present: 16 } as const;

/** struct ifinfomsg: family u8, padding, hardware type u16, index i32, flags u32, change u32. */
const headerLength = 16;
/** IFF_LOOPBACK (linux/if.h). */
const loopbackFlag = 0x8;

/** IFLA_* (linux/if_link.h). */
const attributes = { mac: 1, name: 3, master: 10, operstate: 16, info: 18, filter: 29, carrier: 33 } as const;
const infoKind = 1;
/** RTEXT_FILTER_SKIP_STATS: counters make most of an answer. */
const skipStatistics = 8;
/** IF_OPER_UNKNOWN, IF_OPER_UP. */
const states: Readonly<Record<number, NetworkInterface["state"]>> = { 0: "unknown", 6: "up" };

/** Writes a request for all interfaces. */
export function requestInterfaces(writer: MessageWriter): void {
  writer.raw(new Uint8Array(headerLength));
  writer.u32(attributes.filter, skipStatistics);
}

/** Undefined for messages about something else: an interface as a part of a bridge has a family (AF_BRIDGE). */
export function readInterface({ type, payload }: NetlinkMessage): NetworkInterface | undefined {
  if (type !== interfaceMessages.present || payload.length < headerLength || payload[0] !== 0) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const found = new Attributes(payload, headerLength);
  const name = found.text(attributes.name);
  if (name === undefined) return undefined;
  return {
    index: view.getInt32(4, hostIsLittleEndian),
    name,
    mac: Uint8Array.from(found.bytes(attributes.mac) ?? []),
    loopback: (view.getUint32(8, hostIsLittleEndian) & loopbackFlag) !== 0,
    kind: found.nested(attributes.info)?.text(infoKind),
    hasMaster: found.has(attributes.master),
    carrier: found.u8(attributes.carrier) === 1,
    state: states[found.u8(attributes.operstate) ?? -1] ?? "other",
  };
}
