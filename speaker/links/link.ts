import type { IpAddress } from "../../src/ip/address.ts";
import type { IpRange } from "../../src/ip/range.ts";
import { announcingInterfaces } from "../../src/placement/announcing-interfaces.ts";

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

/** The interfaces that this node announces an address from. `patterns`: those of the node in VirtualIP.spec. */
export function linksFor(links: readonly Link[], address: IpAddress, patterns: readonly string[]): readonly Link[] {
  return announcingInterfaces(links, address, patterns);
}
