import type { IpAddress } from "./address.ts";
import { type IpRange, rangeContains, rangeSize } from "./range.ts";

/**
 * Whether the subnet of an interface's address is a network with neighbours. A subnet of one address (/32, /128) is not: kube-proxy
 * in ipvs mode and some network plug-ins put such addresses on interfaces.
 */
export function isLan(subnet: IpRange): boolean {
  return rangeSize(subnet) > 1n;
}

/** Whether an interface with these subnets is on the address's LAN, so that the address can be announced from it. */
export function isOnLan(subnets: readonly IpRange[], address: IpAddress): boolean {
  return subnets.some((subnet) => isLan(subnet) && rangeContains(subnet, address));
}
