/** How the kernel keeps a value: in network order, in the order of the machine, or as bytes without an order. */
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
  ether_addr: { number: 9, length: 6, order: "none" },
  ether_type: { number: 10, length: 2, order: "network" },
  inet_proto: { number: 12, length: 1, order: "none" },
  inet_service: { number: 13, length: 2, order: "network" },
  icmp_type: { number: 14, length: 1, order: "none" },
  tcp_flag: { number: 15, length: 1, order: "none" },
  mark: { number: 19, length: 4, order: "host" },
  /** The kind of hardware of an interface (ARPHRD_*). */
  iface_type: { number: 21, length: 2, order: "host" },
  ct_state: { number: 26, length: 4, order: "host" },
  ct_dir: { number: 27, length: 1, order: "none" },
  ct_status: { number: 28, length: 4, order: "host" },
  icmpv6_type: { number: 29, length: 1, order: "none" },
  ifname: { number: 41, length: 16, order: "none" },
  /** A zone of connection tracking; nft(8) has no name for it, so it is not for keys of sets. */
  ct_zone: { number: 4, length: 2, order: "host" },
} as const satisfies Record<string, DataTypeFacts>;

export type DataType = keyof typeof dataTypes;

/** The size of a register, which each part of a concatenation begins at (linux/netfilter/nf_tables.h, NFT_REG32_SIZE). */
export const registerLength = 4;

/** `length` bytes fill so many whole registers. */
export function registersOf(length: number): number {
  return Math.ceil(length / registerLength);
}
