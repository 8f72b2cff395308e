import type { MessageWriter } from "./message-writer.ts";

/** NFNL_SUBSYS_* (linux/netfilter/nfnetlink.h): the upper byte of a message's type. */
export const netfilterSubsystems = { ctnetlink: 1, nftables: 10 } as const;

/** NFPROTO_* (linux/netfilter.h). */
export const netfilterFamilies = { unspecified: 0, inet: 1, ip: 2, netdev: 5, ip6: 10 } as const;

/** struct nfgenmsg: family u8, version u8, resource id be16. */
export const netfilterHeaderLength = 4;

/** `version` 1 makes ctnetlink keep to the family where it would flush every family otherwise; it is 0 everywhere else. */
export function writeNetfilterHeader(writer: MessageWriter, family: number, resource = 0, version = 0): void {
  writer.raw(Uint8Array.of(family, version, resource >> 8, resource & 0xff));
}

/** The type of a message of a subsystem of netfilter. */
export function netfilterType(subsystem: number, message: number): number {
  return (subsystem << 8) | message;
}
