/** Sizes and flags of every netlink message (linux/netlink.h). */

/** struct nlmsghdr: length u32, type u16, flags u16, sequence u32, port id u32, all in host order. */
export const messageHeaderLength = 16;

/** struct nlattr: length u16 (header included, padding not), type u16, in host order. */
export const attributeHeaderLength = 4;

/** The length of an attribute is a u16. */
export const maxAttributeLength = 0xffff;

/** NLA_F_NESTED: the value consists of attributes. */
export const nestedFlag = 0x8000;

/** NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
export const attributeTypeMask = 0x3fff;

/** NLM_F_*. */
export const messageFlags = {
  request: 0x1,
  /** In answers: a message of many, which ends with `done`. */
  multi: 0x2,
  ack: 0x4,
  echo: 0x8,
  /** In answers to a dump: what is listed changed meanwhile. */
  dumpInterrupted: 0x10,
  dump: 0x300,
  /** For commands that make something. */
  create: 0x400,
  exclusive: 0x200,
  append: 0x800,
  /** In answers: only the header of the request is repeated, and attributes follow. */
  capped: 0x100,
  ackAttributes: 0x200,
} as const;

/** NLMSG_*: types below 16 mean the same in every subsystem. */
export const controlTypes = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

/** Up to the next multiple of 4 (NLMSG_ALIGN, NLA_ALIGN). */
export function align(length: number): number {
  return (length + 3) & ~3;
}
