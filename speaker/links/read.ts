import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { parseAddress } from "../../src/ip/address.ts";
import { subnetOf } from "../../src/ip/range.ts";
import type { Link } from "./link.ts";

/** Where interfaces are read from: node:os, and files below /sys/class/net. */
export interface LinkSource {
  readonly interfaces: () => ReturnType<typeof networkInterfaces>;
  /** Throws where there is no such file, or nothing in it (the carrier of an interface that is switched off). */
  readonly read: (path: string) => string;
}

export const systemLinkSource: LinkSource = {
  interfaces: networkInterfaces,
  read: (path) => readFileSync(path, "utf8"),
};

const noMac = "00:00:00:00:00:00";

/** Link-local addresses (RFC 4291 section 2.5.6): the same on every LAN, so they do not identify one. */
const linkLocal = /^fe[89ab]/i;

/**
 * The interfaces of the node that have an address, sorted by name. Those without hardware address (loopback, tunnels) are left
 * out, and so are those that have only a link-local address, such as the interfaces of pods, and one that vanishes while it is read.
 * Starts no program.
 */
export function readLinks(source: LinkSource): readonly Link[] {
  const found = new Map<string, { mac: string; addresses: string[] }>();
  for (const [label, entries] of Object.entries(source.interfaces())) {
    // IPv4 addresses may carry a label of their own, `eth0:1`, in place of the interface's name.
    const name = label.split(":")[0] ?? label;
    for (const { internal, mac, cidr } of entries ?? []) {
      if (internal || mac === noMac || cidr === null) continue;
      const link = found.get(name) ?? { mac: mac.toLowerCase(), addresses: [] };
      if (!linkLocal.test(cidr)) link.addresses.push(cidr);
      found.set(name, link);
    }
  }
  return [...found]
    .flatMap(([name, { mac, addresses }]) => {
      const sorted = addresses.filter((text) => parseAddress(text.split("/")[0] ?? "") !== undefined).sort();
      const index = Number(sorted.length === 0 ? "0" : readOr(source, `/sys/class/net/${name}/ifindex`, "0"));
      if (!Number.isInteger(index) || index <= 0) return [];
      const subnets = sorted.flatMap((text) => subnetOf(text) ?? []);
      return [{ name, index, mac, up: hasCarrier(source, name), addresses: sorted, subnets }];
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
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
    links.map(({ name, index, mac, up, addresses }) => [name, index, mac, up, ...addresses].join(" ")).join("\n");
  return text(left) === text(right);
}
