import type { IpAddress } from "../../src/ip/address.ts";
import { type IpRange, rangeContains, rangeSize } from "../../src/ip/range.ts";
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

/**
 * The interfaces that an address is announced from: every one that is up, has a subnet with it and a name that matches one of the
 * patterns (none: any name). A subnet of one address is no LAN: such are the addresses that kube-proxy in ipvs mode and some
 * network plug-ins put on interfaces.
 */
export function linksFor(links: readonly Link[], address: IpAddress, patterns: readonly string[]): readonly Link[] {
  return links.filter(
    (link) =>
      link.up &&
      link.subnets.some((subnet) => rangeSize(subnet) > 1n && rangeContains(subnet, address)) &&
      matchesAnyGlob(patterns, link.name),
  );
}
