import type { DataType } from "./data-type.ts";

/** The header that a field of a packet is counted from (NFT_PAYLOAD_*_HEADER). */
export type PayloadBase = "link" | "network" | "transport";

/** The protocol whose header a field belongs to. `th` is the transport header of whatever protocol. */
export type HeaderProtocol = "ether" | "ip" | "ip6" | "tcp" | "udp" | "th" | "icmp" | "icmpv6";

/** Of a packet: `offset` in bytes from the base. */
export interface PayloadField {
  readonly from: "payload";
  readonly type: DataType;
  readonly protocol: HeaderProtocol;
  readonly base: PayloadBase;
  readonly offset: number;
  /** The field's number among those of its header in nft(8), for `typeof` (include/proto.h, enum ..._hdr_fields). */
  readonly number: number;
}

/** Of the packet's way through the kernel: `key` is NFT_META_*. */
export interface MetaField {
  readonly from: "meta";
  readonly type: DataType;
  readonly key: number;
}

/** Of the packet's connection: `key` is NFT_CT_*. Those of one direction name it: 0 original, 1 reply. */
export interface CtField {
  readonly from: "ct";
  readonly type: DataType;
  readonly key: number;
  readonly direction?: 0 | 1;
}

const payload = (
  type: DataType,
  protocol: HeaderProtocol,
  base: PayloadBase,
  offset: number,
  number: number,
): PayloadField => ({ from: "payload", type, protocol, base, offset, number });
const meta = (type: DataType, key: number): MetaField => ({ from: "meta", type, key });
const ct = (type: DataType, key: number, direction?: 0 | 1): CtField =>
  direction === undefined ? { from: "ct", type, key } : { from: "ct", type, key, direction };

/**
 * Every field that a rule can read, by its name in nft(8). Offsets: RFC 791, RFC 8200, RFC 9293, RFC 768; keys:
 * linux/netfilter/nf_tables.h.
 */
export const fields = {
  "ether daddr": payload("ether_addr", "ether", "link", 0, 1),
  "ether saddr": payload("ether_addr", "ether", "link", 6, 2),
  "ip ttl": payload("hop_limit", "ip", "network", 8, 8),
  "ip saddr": payload("ipv4_addr", "ip", "network", 12, 11),
  "ip daddr": payload("ipv4_addr", "ip", "network", 16, 12),
  "ip6 hoplimit": payload("hop_limit", "ip6", "network", 7, 7),
  "ip6 saddr": payload("ipv6_addr", "ip6", "network", 8, 8),
  "ip6 daddr": payload("ipv6_addr", "ip6", "network", 24, 9),
  "tcp sport": payload("inet_service", "tcp", "transport", 0, 1),
  "tcp dport": payload("inet_service", "tcp", "transport", 2, 2),
  "tcp flags": payload("tcp_flag", "tcp", "transport", 13, 7),
  "udp sport": payload("inet_service", "udp", "transport", 0, 1),
  "udp dport": payload("inet_service", "udp", "transport", 2, 2),
  "th sport": payload("inet_service", "th", "transport", 0, 1),
  "th dport": payload("inet_service", "th", "transport", 2, 2),
  "icmp type": payload("icmp_type", "icmp", "transport", 0, 1),
  "icmpv6 type": payload("icmpv6_type", "icmpv6", "transport", 0, 1),
  "meta protocol": meta("ether_type", 1),
  "meta priority": meta("classid", 2),
  "meta mark": meta("mark", 3),
  iifname: meta("ifname", 6),
  oifname: meta("ifname", 7),
  "meta iiftype": meta("iface_type", 8),
  "meta l4proto": meta("inet_proto", 16),
  "ct state": ct("ct_state", 0),
  "ct direction": ct("ct_dir", 1),
  "ct status": ct("ct_status", 2),
  "ct mark": ct("mark", 3),
  "ct zone": ct("ct_zone", 17),
  "ct original zone": ct("ct_zone", 17, 0),
  "ct original ip saddr": ct("ipv4_addr", 19, 0),
  "ct original ip daddr": ct("ipv4_addr", 20, 0),
  "ct original ip6 saddr": ct("ipv6_addr", 21, 0),
  "ct original ip6 daddr": ct("ipv6_addr", 22, 0),
  "ct original proto-dst": ct("inet_service", 12, 0),
} as const satisfies Record<string, PayloadField | MetaField | CtField>;

export type FieldName = keyof typeof fields;

/** Those that are in the packet. */
export type PayloadFieldName = {
  [Name in FieldName]: (typeof fields)[Name]["from"] extends "payload" ? Name : never;
}[FieldName];

/** Where the field is found, and its type. */
export function fieldOf(name: FieldName): PayloadField | MetaField | CtField {
  return fields[name];
}
