import { endianness } from "node:os";
import { formatAddress } from "../../src/ip/address.ts";

/** Route flags (linux/route.h). */
const up = 0x1;
const gateway = 0x2;

/**
 * The routers of the node's default routes, in both families, sorted. Reads the main routing table from /proc/net, which other tables of
 * policy routing are not part of. Link-local routers are left out, because no pool can contain them. `read` throws where there is no such
 * file.
 */
export function readGateways(
  read: (path: string) => string,
  littleEndian: boolean = endianness() === "LE",
): readonly string[] {
  const found = [
    ...linesOf(read, "/proc/net/route").flatMap((line) => ipv4Gateway(line, littleEndian)),
    ...linesOf(read, "/proc/net/ipv6_route").flatMap(ipv6Gateway),
  ];
  return [...new Set(found)].sort();
}

function linesOf(read: (path: string) => string, path: string): readonly string[] {
  try {
    return read(path).split("\n");
  } catch {
    // A kernel without the family has no such file.
    return [];
  }
}

/** `Iface Destination Gateway Flags RefCnt Use Metric Mask …`; addresses are 32 bits in host byte order (net/ipv4/fib_trie.c). */
function ipv4Gateway(line: string, littleEndian: boolean): readonly string[] {
  const [, destination = "", router = "", flags = "", , , , mask = ""] = line.trim().split(/\s+/);
  if (destination !== "00000000" || mask !== "00000000" || !isHex(router, 8) || !isGateway(flags)) return [];
  const bytes = router.match(/../g) ?? [];
  const ordered = littleEndian ? bytes.reverse() : bytes;
  return [formatAddress({ family: "IPv4", value: BigInt(`0x${ordered.join("")}`) })];
}

/** `destination length source length router metric refcnt use flags iface` (net/ipv6/route.c, rt6_native_to_compat in ip6_fib.c). */
function ipv6Gateway(line: string): readonly string[] {
  const [destination = "", length = "", , , router = "", , , , flags = ""] = line.trim().split(/\s+/);
  if (!/^0{32}$/.test(destination) || length !== "00" || !isHex(router, 32) || !isGateway(flags)) return [];
  if (/^fe[89ab]/i.test(router)) return [];
  return [formatAddress({ family: "IPv6", value: BigInt(`0x${router}`) })];
}

function isHex(text: string, length: number): boolean {
  return text.length === length && /^[0-9a-f]+$/i.test(text) && !/^0+$/.test(text);
}

function isGateway(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & up) !== 0 && (bits & gateway) !== 0;
}
