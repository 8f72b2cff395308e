import { type IpFamily, ipFamilies } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import type { IpRange } from "../../src/ip/range.ts";
import type { CannotServe } from "../../src/placement/cannot-serve.ts";
import type { Link } from "../links/link.ts";
import { type Route, routeTo } from "../links/routes.ts";
import type { HostSettings, InterfaceSettings } from "./host-settings.ts";

/** net.ipv4.conf.*.rp_filter: the route to the source must be by the interface that the packet arrived at (RFC 3704 section 2.2). */
export const strictFilter = 1;

/** The interfaces, each with the families that it cannot serve by these settings. Pure. */
export function addCannotServe(links: readonly Link[], settings: HostSettings): readonly Link[] {
  const routes = links.flatMap(({ routes: own = [] }) => own);
  return links.map((link) => {
    const own = settings.interfaces.get(link.name);
    const cannotServe = own === undefined ? [] : findCannotServe(link, own, routes);
    return cannotServe.length === 0 ? link : { ...link, cannotServe };
  });
}

function findCannotServe(link: Link, settings: InterfaceSettings, routes: readonly Route[]): readonly CannotServe[] {
  // Without an address it may be on any LAN, if a user names it.
  const families = ipFamilies.filter((family) => link.subnets.length === 0 || lansOf(link, family).length > 0);
  return families.flatMap((family): readonly CannotServe[] => {
    if (settings.forwarding[family] === false) return [{ family, reason: "ForwardingDisabled" }];
    const strict = family === "IPv4" && settings.rpFilter === strictFilter;
    return strict && isWithoutRoute(link, routes) ? [{ family, reason: "ReversePathFilterStrict" }] : [];
  });
}

/** Whether the route to each IPv4 LAN of the interface is by another one: two of them have the subnet. */
function isWithoutRoute(link: Link, routes: readonly Route[]): boolean {
  const lans = lansOf(link, "IPv4");
  return (
    lans.length > 0 &&
    lans.every(({ family, first }) => {
      const route = routeTo(routes, { family, value: first + 1n });
      return route !== undefined && route.interfaceName !== link.name;
    })
  );
}

function lansOf({ subnets }: Link, family: IpFamily): readonly IpRange[] {
  return subnets.filter((subnet) => subnet.family === family && isLan(subnet));
}
