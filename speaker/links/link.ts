import type { IpAddress } from "../../src/ip/address.ts";
import { isOnLan } from "../../src/ip/lan.ts";
import type { IpRange } from "../../src/ip/range.ts";
import { matchesAnyGlob } from "../../src/model/glob.ts";

/** A network interface of the node that addresses can be announced on. Never the loopback. */
export interface Link {
  readonly name: string;
  readonly index: number;
  /** Lower case, colons. */
  readonly mac: string;
  /** Whether it has a carrier. */
  readonly up: boolean;
  /** Its addresses with prefix length, as text; link-local ones left out. */
  readonly addresses: readonly string[];
  /** The subnets of these. */
  readonly subnets: readonly IpRange[];
}

/** The interfaces that an address is announced from: every one that is up, on its LAN, and named by a pattern (none: any name). */
export function linksFor(links: readonly Link[], address: IpAddress, patterns: readonly string[]): readonly Link[] {
  return links.filter((link) => link.up && isOnLan(link.subnets, address) && matchesAnyGlob(patterns, link.name));
}
