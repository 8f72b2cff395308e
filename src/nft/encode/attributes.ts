/** Numbers of linux/netfilter/nf_tables.h. The names are those of the header, without NFT_ and NFTA_, where they are not told apart here. */

/** NFT_MSG_*. */
export const messages = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  newRule: 6,
  newSet: 9,
  newElements: 12,
  deleteElements: 14,
} as const;

/** NLM_F_* of commands. Without `append`, rules come in reverse order. */
export const createFlags = { create: 0x400, append: 0x800 } as const;

export const tableAttributes = { name: 1, flags: 2 } as const;

export const chainAttributes = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
export const hookAttributes = { number: 1, priority: 2, device: 3, devices: 4, deviceName: 1 } as const;

export const ruleAttributes = { table: 1, chain: 2, expressions: 4 } as const;

export const setAttributes = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  dataType: 6,
  dataLength: 7,
  description: 9,
  id: 10,
  timeout: 11,
  userdata: 13,
} as const;
export const setFlags = { interval: 4, map: 8, timeout: 0x10, dynamic: 0x20, concatenation: 0x80 } as const;
export const descriptionAttributes = { size: 1, concatenation: 2, fieldLength: 1 } as const;
/** NFT_DATA_VERDICT, as the type of data. */
export const verdictType = 0xffff_ff00;

export const elementListAttributes = { table: 1, set: 2, elements: 3 } as const;
export const elementAttributes = { key: 1, data: 2, flags: 3, timeout: 4, keyEnd: 10 } as const;
/** NFT_SET_ELEM_INTERVAL_END. */
export const intervalEnd = 1;

/** NFTA_LIST_ELEM: the type of every member of a list. */
export const listElement = 1;
export const expressionAttributes = { name: 1, data: 2 } as const;
export const dataAttributes = { value: 1, verdict: 2, code: 1, chain: 2 } as const;

/** NFT_* and NF_* (linux/netfilter.h). */
export const verdictCodes = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const;

/** NF_INET_*; `ingress` is NF_NETDEV_INGRESS. */
export const hookNumbers = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4, ingress: 0 } as const;

/** NFT_REG_VERDICT, and NFT_REG32_00: the first of 16 registers of 4 bytes. */
export const registers = { verdict: 0, first: 8 } as const;

/** NFT_PAYLOAD_*_HEADER. */
export const payloadBases = { link: 0, network: 1, transport: 2 } as const;

/** NFT_CMP_*. */
export const compareOperators = { "==": 0, "!=": 1, "<=": 3, ">": 4 } as const;
