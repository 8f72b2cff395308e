import type { IpAddress } from "../../src/ip/address.ts";
import type { IpRange } from "../../src/ip/range.ts";
import { announcingInterfaces, servesFamily } from "../../src/placement/announcing-interfaces.ts";
import type { CannotServe } from "../../src/placement/cannot-serve.ts";
import { type Route, routeTo } from "./routes.ts";

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
  /** Routes by it to destinations in a subnet that another interface has too. Missing: no interfaces have a subnet in common. */
  readonly routes?: readonly Route[];
  /** Families that it cannot serve, because the kernel drops the requests. Missing: none. */
  readonly cannotServe?: readonly CannotServe[];
}

/**
 * The interfaces that this node announces an address from. `patterns`: those of the node in VirtualIP.spec. Interfaces that cannot serve the
 * family are used only if all of them cannot. Without patterns, where several interfaces are on the LAN of the address, the one by which the
 * kernel would send to it: clients would otherwise learn two hardware addresses for one address, and the node sends its answers by one
 * interface alone.
 */
export function linksFor(links: readonly Link[], address: IpAddress, patterns: readonly string[]): readonly Link[] {
  const announcing = announcingInterfaces(links, address, patterns);
  const serving = announcing.filter((one) => servesFamily(one, address.family));
  const found = serving.length > 0 ? serving : announcing;
  if (patterns.length > 0 || found.length < 2) return found;
  const route = routeTo(
    found.flatMap(({ routes = [] }) => routes),
    address,
  );
  return route === undefined ? found : found.filter(({ name }) => name === route.interfaceName);
}
