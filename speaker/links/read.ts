import { parseAddress } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import { formatRange, rangesOverlap, subnetOf } from "../../src/ip/range.ts";
import { lanInterfaceNames } from "./addressless.ts";
import type { Link } from "./link.ts";
import type { LinkSource } from "./link-source.ts";
import { parseIPv4Routes, parseIPv6Routes, routeFiles } from "./routes.ts";

const noMac = "00:00:00:00:00:00";

/** Link-local addresses (RFC 4291 section 2.5.6): the same on every LAN, so they do not identify one. */
const linkLocal = /^fe[89ab]/i;

/**
 * The interfaces of the node that have an address or may lead to a LAN (see `lanInterfaceNames`), sorted by name. Those without hardware address
 * (loopback, tunnels) are left out, and so is one that vanishes while it is read. Where two of them have a subnet in common, with the
 * routes that decide between them. Starts no program.
 */
export function readLinks(source: LinkSource): readonly Link[] {
  const found = readAddresses(source);
  for (const name of lanInterfaceNames(source)) {
    if (found.has(name)) continue;
    const mac = readOr(source, `/sys/class/net/${name}/address`, noMac).toLowerCase();
    // 17 characters: six bytes, as on Ethernet.
    if (mac !== noMac && mac.length === noMac.length) found.set(name, { mac, addresses: [] });
  }
  const links = [...found]
    .flatMap(([name, { mac, addresses }]) => {
      const index = Number(readOr(source, `/sys/class/net/${name}/ifindex`, "0"));
      if (!Number.isInteger(index) || index <= 0) return [];
      const subnets = addresses.flatMap((text) => subnetOf(text) ?? []);
      return [{ name, index, mac, up: hasCarrier(source, name), addresses, subnets }];
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  return withRoutes(links, source);
}

/** The interfaces with addresses that are not link-local. */
function readAddresses(
  source: LinkSource,
): Map<string, { readonly mac: string; readonly addresses: readonly string[] }> {
  const found = new Map<string, { mac: string; addresses: string[] }>();
  for (const [label, entries] of Object.entries(source.interfaces())) {
    // IPv4 addresses may carry a label of their own, `eth0:1`, in place of the interface's name.
    const name = label.split(":")[0] ?? label;
    for (const { internal, mac, cidr } of entries ?? []) {
      if (internal || mac === noMac || cidr === null || linkLocal.test(cidr)) continue;
      if (parseAddress(cidr.split("/")[0] ?? "") === undefined) continue;
      const link = found.get(name) ?? { mac: mac.toLowerCase(), addresses: [] };
      link.addresses.push(cidr);
      link.addresses.sort();
      found.set(name, link);
    }
  }
  return found;
}

/** Adds routes where they matter: most nodes have one interface in each subnet, and a routing table may be long. */
function withRoutes(links: readonly Link[], source: LinkSource): readonly Link[] {
  const lans = links.flatMap(({ subnets }, index) => subnets.filter(isLan).map((range) => ({ index, range })));
  const shared = lans.filter(({ index, range }) =>
    lans.some((other) => other.index !== index && rangesOverlap(other.range, range)),
  );
  if (shared.length === 0) return links;
  const routes = [
    ...parseIPv4Routes(readOr(source, routeFiles.IPv4, ""), source.endianness),
    ...parseIPv6Routes(readOr(source, routeFiles.IPv6, "")),
  ].filter(({ range: { family, first, last } }) =>
    shared.some(({ range }) => range.family === family && range.first <= first && last <= range.last),
  );
  return links.map((link) => ({ ...link, routes: routes.filter(({ interfaceName }) => interfaceName === link.name) }));
}

/** Some drivers never report their state: `unknown` with a carrier counts as up (Documentation/networking/operstates.rst). */
function hasCarrier(source: LinkSource, name: string): boolean {
  const folder = `/sys/class/net/${name}`;
  const state = readOr(source, `${folder}/operstate`, "down");
  return readOr(source, `${folder}/carrier`, "0") === "1" && (state === "up" || state === "unknown");
}

function readOr(source: LinkSource, path: string, otherwise: string): string {
  try {
    return source.read(path).trim();
  } catch {
    return otherwise;
  }
}

/** Whether two readings are the same. */
export function sameLinks(left: readonly Link[], right: readonly Link[]): boolean {
  const text = (links: readonly Link[]) =>
    links
      .map(({ name, index, mac, up, addresses, routes = [] }) => {
        const ways = routes.map(({ range, metric, order }) => `${formatRange(range)}@${metric}/${order}`);
        return [name, index, mac, up, ...addresses, ...ways].join(" ");
      })
      .join("\n");
  return text(left) === text(right);
}
