/** What nft(8) says of a value: it is in network order, in the order of the machine, or has no order. */
export type ByteOrder = "network" | "host" | "none";

interface DataTypeFacts {
  /** Numbers of nft(8), not of the kernel (include/datatype.h, enum datatypes): they decide how `nft list` prints. */
  readonly number: number;
  readonly length: number;
  readonly order: ByteOrder;
}

/** The data types of nft(8) that Bellhop uses, with their lengths in bytes. */
export const dataTypes = {
  /** Of 32 bits: results of numgen and jhash. Has no name in a declaration of a set: give `typeof` there. */
  integer: { number: 4, length: 4, order: "host" },
  ipv4_addr: { number: 7, length: 4, order: "network" },
  ipv6_addr: { number: 8, length: 16, order: "network" },
  ether_addr: { number: 9, length: 6, order: "network" },
  ether_type: { number: 10, length: 2, order: "network" },
  inet_proto: { number: 12, length: 1, order: "none" },
  inet_service: { number: 13, length: 2, order: "network" },
  icmp_type: { number: 14, length: 1, order: "none" },
  tcp_flag: { number: 15, length: 1, order: "network" },
  mark: { number: 19, length: 4, order: "host" },
  /** A class of traffic, of two numbers. */
  classid: { number: 23, length: 4, order: "host" },
  /** The kind of hardware of an interface (ARPHRD_*). */
  iface_type: { number: 21, length: 2, order: "host" },
  ct_state: { number: 26, length: 4, order: "host" },
  ct_dir: { number: 27, length: 1, order: "none" },
  ct_status: { number: 28, length: 4, order: "host" },
  icmpv6_type: { number: 29, length: 1, order: "none" },
  ifname: { number: 41, length: 16, order: "host" },
  /** A zone of connection tracking; nft(8) has no name for it, so it is not for keys of sets. */
  ct_zone: { number: 4, length: 2, order: "host" },
  /** How many routers a packet may still pass; nft(8) has no name for it, so it is not for keys of sets. */
  hop_limit: { number: 4, length: 1, order: "network" },
} as const satisfies Record<string, DataTypeFacts>;

export type DataType = keyof typeof dataTypes;

/** The size of a register, which each part of a concatenation begins at (linux/netfilter/nf_tables.h, NFT_REG32_SIZE). */
export const registerLength = 4;

/** `length` bytes fill so many whole registers. */
export function registersOf(length: number): number {
  return Math.ceil(length / registerLength);
}

/** Bytes of a key or of data of these types: the parts of a concatenation are padded, one part alone is not. */
export function lengthOf(types: readonly DataType[]): number {
  const [first] = types;
  if (first !== undefined && types.length === 1) return dataTypes[first].length;
  return types.reduce((sum, type) => sum + registersOf(dataTypes[type].length) * registerLength, 0);
}

/** The number of a concatenation: 6 bits for each part, the first part highest (nft's include/datatype.h, TYPE_BITS). */
export function typeNumber(types: readonly DataType[]): number {
  return types.reduce((number, type) => number * 64 + dataTypes[type].number, 0);
}
