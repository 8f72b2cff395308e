import { formatAddress, type IpAddress } from "../ip/address.ts";
import type { IpRange } from "../ip/range.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import { type DataType, dataTypes, registerLength, registersOf } from "./data-type.ts";

/**
 * Bytes of a key or of a value, one in each character (latin1). A string, because it is compared, kept as a key of a Map and written into
 * a message as it is, and costs a fifth of a Uint8Array. What the bytes mean is said by the data types that go with them.
 */
export type Data = string;

/** Protocols that our rules match by, as nft spells them. */
export type NftProtocol = "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";

/** Numbers of the Internet protocols (IANA; /etc/protocols). */
export const protocolNumbers = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const satisfies Record<
  NftProtocol,
  number
>;

const protocols: ReadonlyMap<Data, NftProtocol> = new Map(
  (Object.keys(protocolNumbers) as NftProtocol[]).map((protocol) => [protocolData(protocol), protocol]),
);

/** Bits of the flags of TCP (RFC 9293 section 3.1). */
export const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;

/** Bits of `ct state` (nft's src/ct.c; NF_CT_STATE_BIT). */
export const ctStates = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;

/** Bits of `ct status` (IPS_*, linux/netfilter/nf_conntrack_common.h). */
export const ctStatuses = { "seen-reply": 2, assured: 4, confirmed: 8, snat: 16, dnat: 32 } as const;

/** Values of `ct direction` (IP_CT_DIR_*). */
export const ctDirections = { original: 0, reply: 1 } as const;

export const icmpTypes = {
  "echo-reply": 0,
  "destination-unreachable": 3,
  "echo-request": 8,
  "time-exceeded": 11,
} as const;

export const icmpv6Types = {
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "echo-request": 128,
  "echo-reply": 129,
  "nd-neighbor-solicit": 135,
} as const;

/** Values of `ether type` and `meta protocol` (linux/if_ether.h). */
export const etherTypes = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd } as const;

/** ARPHRD_* (linux/if_arp.h). */
export const interfaceTypes = { ether: 1 } as const;

/** A number of 1, 2 or 4 bytes as a value of this type. */
export function numberData(type: DataType, value: number): Data {
  const { length, order } = dataTypes[type];
  if (length === 1) return String.fromCharCode(value & 0xff);
  const reversed = order === "host" && hostIsLittleEndian;
  if (length === 2) return reversed ? portData(((value & 0xff) << 8) | ((value >> 8) & 0xff)) : portData(value);
  return reversed
    ? String.fromCharCode(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24)
    : networkOrder(value);
}

/** 4 bytes, the highest first. */
function networkOrder(value: number): Data {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** The inverse of `numberData`. */
export function dataNumber(type: DataType, data: Data): number {
  const reversed = dataTypes[type].order === "host" && hostIsLittleEndian;
  let value = 0;
  for (let index = 0; index < data.length; index++) {
    value = value * 256 + data.charCodeAt(reversed ? data.length - 1 - index : index);
  }
  return value;
}

export function addressData(address: IpAddress): Data {
  return integerData(address.family, address.value);
}

/** First and last address of a range. */
export function rangeData({ family, first, last }: IpRange): readonly [first: Data, last: Data] {
  return [integerData(family, first), integerData(family, last)];
}

function integerData(family: IpAddress["family"], value: bigint): Data {
  if (family === "IPv4") return networkOrder(Number(value));
  let data = "";
  for (let shift = 96n; shift >= 0n; shift -= 32n) data += networkOrder(Number((value >> shift) & 0xffff_ffffn));
  return data;
}

/** The inverse of `addressData`. */
export function dataAddress(data: Data): IpAddress {
  if (data.length === 4) return { family: "IPv4", value: BigInt(dataNumber("ipv4_addr", data)) };
  let value = 0n;
  for (let index = 0; index < data.length; index++) value = (value << 8n) | BigInt(data.charCodeAt(index));
  return { family: "IPv6", value };
}

export function protocolData(protocol: NftProtocol): Data {
  return String.fromCharCode(protocolNumbers[protocol]);
}

/** The inverse of `protocolData`. Throws RangeError for the number of another protocol. */
export function dataProtocol(data: Data): NftProtocol {
  const found = protocols.get(data);
  if (found === undefined) throw new RangeError("no rule matches by this protocol");
  return found;
}

export function portData(port: number): Data {
  return String.fromCharCode((port >> 8) & 0xff, port & 0xff);
}

/** The name of an interface, which has at most 15 bytes (IFNAMSIZ), with zeros behind it. */
export function interfaceData(name: string): Data {
  return Buffer.from(name, "utf8").toString("latin1").slice(0, 15).padEnd(dataTypes.ifname.length, "\0");
}

/** A hardware address: `02:00:00:00:00:01`. */
export function macData(text: string): Data {
  return String.fromCharCode(...text.split(":").map((byte) => Number.parseInt(byte, 16)));
}

/** Zeros up to a whole register, by the bytes in the last one. */
const padding = ["", "\0\0\0", "\0\0", "\0"] as const;

/** The parts as one key or value: padded to whole registers if there are several. */
export function concatenate(parts: readonly Data[]): Data {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  let data = "";
  for (const part of parts) data += part + padding[part.length % registerLength];
  return data;
}

/** The parts of a key or of a value of these types, without padding. */
export function splitData(types: readonly DataType[], data: Data): readonly Data[] {
  let start = 0;
  return types.map((type) => {
    const { length } = dataTypes[type];
    const part = data.slice(start, start + length);
    start += registersOf(length) * registerLength;
    return part;
  });
}

/** A key or value in nft's language: `192.0.2.1 . tcp . 80`. Nothing reads it back but nft itself. */
export function printData(types: readonly DataType[], data: Data): string {
  return splitData(types, data)
    .map((part, index) => printPart(types[index] ?? "integer", part))
    .join(" . ");
}

/** The same for all keys from the first to the last; parts that differ are printed as ranges. */
export function printRange(types: readonly DataType[], first: Data, last: Data): string {
  const ends = splitData(types, last);
  return splitData(types, first)
    .map((part, index) => {
      const type = types[index] ?? "integer";
      const end = ends[index] ?? part;
      return part === end ? printPart(type, part) : `${printPart(type, part)}-${printPart(type, end)}`;
    })
    .join(" . ");
}

/** One value of one type. Bits are printed by their names, joined by `|`, where they have names. */
export function printPart(type: DataType, data: Data): string {
  switch (type) {
    case "ipv4_addr":
    case "ipv6_addr":
      return formatAddress(dataAddress(data));
    case "ether_addr":
      return [...data].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join(":");
    case "ifname":
      return `"${Buffer.from(data.replace(/\0+$/, ""), "latin1").toString("utf8")}"`;
    case "classid":
      return printClassid(dataNumber(type, data));
    case "mark":
      return `0x${dataNumber(type, data).toString(16).padStart(8, "0")}`;
    default:
      return printNumber(type, dataNumber(type, data));
  }
}

/** As tc(8) has it: `be11:0001`. nft(8) cannot read those without one of the halves. */
function printClassid(value: number): string {
  const half = (number: number) => number.toString(16).padStart(4, "0");
  return value === 0 ? "none" : `${half(value >>> 16)}:${half(value & 0xffff)}`;
}

const names: { readonly [Type in DataType]?: Readonly<Record<string, number>> } = {
  inet_proto: { ...protocolNumbers, "ipv6-icmp": protocolNumbers.icmpv6 },
  ether_type: etherTypes,
  icmp_type: icmpTypes,
  icmpv6_type: icmpv6Types,
  iface_type: interfaceTypes,
  ct_dir: ctDirections,
};

const bits: { readonly [Type in DataType]?: Readonly<Record<string, number>> } = {
  tcp_flag: tcpFlags,
  ct_state: ctStates,
  ct_status: ctStatuses,
};

function printNumber(type: DataType, value: number): string {
  for (const [name, number] of Object.entries(names[type] ?? {})) if (number === value) return name;
  const set = Object.entries(bits[type] ?? {}).filter(([, bit]) => (value & bit) !== 0);
  if (set.length > 0 && set.reduce((sum, [, bit]) => sum + bit, 0) === value)
    return set.map(([name]) => name).join("|");
  return bits[type] === undefined ? String(value) : `0x${value.toString(16)}`;
}
