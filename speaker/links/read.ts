import { addressFromBytes, formatAddress } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import { formatRange, rangesOverlap, subnetOf } from "../../src/ip/range.ts";
import { equalBytes, formatMac, macLength, zeroMac } from "../../src/packet/mac.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";
import type { InterfaceAddress } from "../../src/rtnetlink/interface-address.ts";
import type { NetworkInterface } from "../../src/rtnetlink/network-interface.ts";
import type { Link } from "./link.ts";
import { type Route, routesOf } from "./routes.ts";

/**
 * Kinds of virtual interfaces that may lead to a LAN even without addresses, so that a user may name them. Those of pods (veth) and tunnels have
 * other kinds; network cards have none.
 */
const lanKinds: ReadonlySet<string> = new Set(["vlan", "bond", "bridge", "macvlan"]);

/**
 * The interfaces of the node that have an address or may lead to a LAN, sorted by name. Those without hardware address (loopback, tunnels) are
 * left out. Where two of them have a subnet in common, with the routes that decide between them. Pure.
 */
export function readLinks(network: HostNetwork): readonly Link[] {
  const addressesOf = new Map<number, string[]>();
  for (const address of network.addresses) {
    if (isLinkLocal(address)) continue;
    const text = `${formatAddress(addressFromBytes(address.address))}/${address.prefixLength}`;
    const others = addressesOf.get(address.interfaceIndex);
    if (others === undefined) addressesOf.set(address.interfaceIndex, [text]);
    else others.push(text);
  }
  const links = network.interfaces
    .filter((one) => !one.loopback && one.mac.length === macLength && !equalBytes(one.mac, zeroMac))
    .filter((one) => addressesOf.has(one.index) || maybeLan(one))
    .map((one) => {
      const addresses = (addressesOf.get(one.index) ?? []).toSorted();
      const subnets = addresses.flatMap((text) => subnetOf(text) ?? []);
      return { name: one.name, index: one.index, mac: formatMac(one.mac), up: isUp(one), addresses, subnets };
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  return withRoutes(links, network);
}

/** A part of a bridge or a bond does not count: the whole does. */
function maybeLan({ kind, hasMaster }: NetworkInterface): boolean {
  return !hasMaster && (kind === undefined || lanKinds.has(kind));
}

/** Some drivers never report their state: `unknown` with a carrier counts as up (Documentation/networking/operstates.rst). */
function isUp({ carrier, state }: NetworkInterface): boolean {
  return carrier && state !== "other";
}

/** fe80::/10 (RFC 4291 section 2.5.6): the same on every LAN, so these addresses do not identify one. */
function isLinkLocal({ address }: InterfaceAddress): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

/** Adds routes where they matter: most nodes have one interface in each subnet, and a changed route must not be taken for changed links. */
function withRoutes(links: readonly Link[], network: HostNetwork): readonly Link[] {
  const lans = links.flatMap(({ subnets }, index) => subnets.filter(isLan).map((range) => ({ index, range })));
  const shared = lans.filter(({ index, range }) =>
    lans.some((other) => other.index !== index && rangesOverlap(other.range, range)),
  );
  if (shared.length === 0) return links;
  const decides = ({ range: { family, first, last } }: Route): boolean =>
    shared.some(({ range }) => range.family === family && range.first <= first && last <= range.last);
  const routes = routesOf(network).filter(decides);
  return links.map((link) => ({ ...link, routes: routes.filter(({ interfaceName }) => interfaceName === link.name) }));
}

/** Whether two readings are the same. */
export function sameLinks(left: readonly Link[], right: readonly Link[]): boolean {
  if (left === right) return true;
  const text = (links: readonly Link[]) =>
    links
      .map(({ name, index, mac, up, addresses, routes = [], cannotServe = [] }) => {
        const ways = routes.map(({ range, metric, order }) => `${formatRange(range)}@${metric}/${order}`);
        const drops = cannotServe.map(({ family, reason }) => `${family}:${reason}`);
        return [name, index, mac, up, ...addresses, ...ways, ...drops].join(" ");
      })
      .join("\n");
  return text(left) === text(right);
}
