/** How an attribute is written: numbers are big-endian, a time has 64 bits, and data are a value or a verdict. */
export type AttributeKind = "u8" | "u32" | "time" | "text" | "data";

/** Number and kind of each attribute of the kernel's expressions (linux/netfilter/nf_tables.h, NFTA_*). Registers are numbers of 32 bits. */
export const expressionLayouts = {
  payload: {
    destination: [1, "u32"],
    base: [2, "u32"],
    offset: [3, "u32"],
    length: [4, "u32"],
    source: [5, "u32"],
    checksumType: [6, "u32"],
    checksumOffset: [7, "u32"],
    checksumFlags: [8, "u32"],
  },
  meta: { destination: [1, "u32"], key: [2, "u32"], source: [3, "u32"] },
  ct: { destination: [1, "u32"], key: [2, "u32"], direction: [3, "u8"], source: [4, "u32"] },
  cmp: { source: [1, "u32"], operator: [2, "u32"], data: [3, "data"] },
  bitwise: { source: [1, "u32"], destination: [2, "u32"], length: [3, "u32"], mask: [4, "data"], xor: [5, "data"] },
  lookup: { set: [1, "text"], source: [2, "u32"], destination: [3, "u32"], flags: [5, "u32"] },
  immediate: { destination: [1, "u32"], data: [2, "data"] },
  numgen: { destination: [1, "u32"], modulus: [2, "u32"], type: [3, "u32"], offset: [4, "u32"] },
  hash: {
    source: [1, "u32"],
    destination: [2, "u32"],
    length: [3, "u32"],
    modulus: [4, "u32"],
    seed: [5, "u32"],
    offset: [6, "u32"],
    type: [7, "u32"],
  },
  nat: { type: [1, "u32"], family: [2, "u32"], address: [3, "u32"], port: [5, "u32"] },
  masq: { flags: [1, "u32"] },
  reject: { type: [1, "u32"], code: [2, "u8"] },
  notrack: {},
  counter: {},
  dynset: { set: [1, "text"], operation: [3, "u32"], key: [4, "u32"], data: [5, "u32"], timeout: [6, "time"] },
  fwd: { device: [1, "u32"] },
  dup: { address: [1, "u32"], device: [2, "u32"] },
} as const satisfies Record<string, Record<string, readonly [type: number, kind: AttributeKind]>>;

/** Numbers of the same header. */
export const expressionValues = {
  /** NFT_LOOKUP_F_INV */
  notInSet: 1,
  /** NFT_NG_RANDOM */
  random: 1,
  /** NFT_HASH_JENKINS */
  jenkins: 0,
  /** NFT_NAT_DNAT */
  dnat: 1,
  /** NF_NAT_RANGE_PROTO_RANDOM_FULLY (linux/netfilter/nf_nat.h) */
  fullyRandom: 0x10,
  /** NFT_REJECT_ICMP_UNREACH and NFT_REJECT_TCP_RST */
  icmpUnreachable: 0,
  tcpReset: 1,
  /** Codes of port unreachable (RFC 792, RFC 4443 section 3.1) */
  icmpPort: 3,
  icmpv6Port: 4,
  /** NFT_DYNSET_OP_UPDATE and NFT_DYNSET_OP_DELETE */
  update: 1,
  delete: 2,
  /** NFT_PAYLOAD_CSUM_NONE and NFT_PAYLOAD_CSUM_INET */
  noChecksum: 0,
  internetChecksum: 1,
  /** NFT_PAYLOAD_L4CSUM_PSEUDOHDR: correct the checksum of TCP, UDP or ICMPv6 behind it */
  pseudoHeader: 1,
} as const;
