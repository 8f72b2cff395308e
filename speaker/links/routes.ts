import { familyBits, type IpAddress, type IpFamily } from "../../src/ip/address.ts";
import { type IpRange, rangeContains, rangeSize } from "../../src/ip/range.ts";

/** A route of the node's main routing table by one interface. */
export interface Route {
  readonly interfaceName: string;
  /** The destinations. */
  readonly range: IpRange;
  readonly metric: number;
  /** Its place in the table: of equal routes the kernel takes the first. */
  readonly order: number;
}

/** Flags of routes (linux/route.h, linux/ipv6_route.h). */
const flagUp = 0x1;
const flagReject = 0x200;
const flagAnycast = 0x0010_0000;
const flagLocal = 0x8000_0000;

/**
 * Reads /proc/net/route (net/ipv4/fib_trie.c, fib_route_seq_show), which prints addresses as numbers in the byte order of the machine.
 * Lines that are not as expected are left out. Never throws.
 */
export function parseIPv4Routes(text: string, endianness: "LE" | "BE"): readonly Route[] {
  return text.split("\n").flatMap((line, order): readonly Route[] => {
    const [name = "", destination = "", , flags = "", , , metric = "", mask = ""] = line.trim().split(/\s+/);
    if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask) || !/^[0-9A-F]+$/.test(flags)) return [];
    const set = Number.parseInt(flags, 16);
    if ((set & flagUp) === 0 || (set & flagReject) !== 0) return [];
    const first = ipv4Number(destination, endianness);
    const hosts = 0xffff_ffffn ^ ipv4Number(mask, endianness);
    const range = { family: "IPv4", first, last: first | hosts } as const;
    return [{ interfaceName: name, range, metric: Number(metric), order }];
  });
}

function ipv4Number(hex: string, endianness: "LE" | "BE"): bigint {
  const bytes = hex.match(/../g) ?? [];
  return BigInt(`0x${(endianness === "LE" ? bytes.reverse() : bytes).join("")}`);
}

/** Reads /proc/net/ipv6_route (net/ipv6/ip6_fib.c, ipv6_route_native_seq_show). Leaves out what `parseIPv4Routes` does, and local routes. */
export function parseIPv6Routes(text: string): readonly Route[] {
  return text.split("\n").flatMap((line, order): readonly Route[] => {
    const [destination = "", length = "", , sourceLength = "", , metric = "", , , flags = "", name = ""] = line
      .trim()
      .split(/\s+/);
    if (!/^[0-9a-f]{32}$/.test(destination) || !/^[0-9a-f]{2}$/.test(length) || !/^[0-9a-f]{8}$/.test(flags)) return [];
    const set = Number.parseInt(flags, 16);
    // The bits are 32, and so the result of & may be negative.
    if ((set & flagUp) === 0 || (set & (flagReject | flagAnycast | flagLocal)) !== 0 || sourceLength !== "00")
      return [];
    const hostBits = familyBits.IPv6 - Number.parseInt(length, 16);
    if (hostBits < 0) return [];
    const first = BigInt(`0x${destination}`);
    const range = { family: "IPv6", first, last: first | ((1n << BigInt(hostBits)) - 1n) } as const;
    return [{ interfaceName: name, range, metric: Number.parseInt(metric, 16), order }];
  });
}

/** Where the kernel lists the routes of each family. */
export const routeFiles = { IPv4: "/proc/net/route", IPv6: "/proc/net/ipv6_route" } as const satisfies Record<
  IpFamily,
  string
>;

/** The route that the kernel takes for the address: the most specific, then the one with the lowest metric, then the first. */
export function routeTo(routes: Iterable<Route>, address: IpAddress): Route | undefined {
  let best: Route | undefined;
  for (const route of routes) {
    if (rangeContains(route.range, address) && (best === undefined || comesBefore(route, best))) best = route;
  }
  return best;
}

function comesBefore(left: Route, right: Route): boolean {
  const [leftSize, rightSize] = [rangeSize(left.range), rangeSize(right.range)];
  if (leftSize !== rightSize) return leftSize < rightSize;
  return left.metric !== right.metric ? left.metric < right.metric : left.order < right.order;
}
