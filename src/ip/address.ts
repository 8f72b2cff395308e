import { Address6 } from "ip-address";

/** The two families, spelled as Kubernetes spells them in `spec.ipFamilies`. */
export const ipFamilies = ["IPv4", "IPv6"] as const;
export type IpFamily = (typeof ipFamilies)[number];

/**
 * One address as an integer. `value` is the address read as one big-endian number, below 2^32 for IPv4 and below 2^128 for
 * IPv6. Carries no zone and no prefix length.
 */
export interface IpAddress {
  readonly family: IpFamily;
  readonly value: bigint;
}

/** How many bits an address of each family has. */
export const familyBits = { IPv4: 32, IPv6: 128 } as const satisfies Record<IpFamily, number>;

/**
 * Reads the text form of one address. Strict, as the API server is since 1.36 (StrictIPCIDRValidation): no leading zeros,
 * no zone, no prefix length, no IPv4-mapped IPv6 form, no white space. Returns undefined for anything else; never throws.
 */
export function parseAddress(text: string): IpAddress | undefined {
  if (!text.includes(":")) return parseIPv4(text);
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text)) return undefined;
  const value = parseIPv6(text);
  return value === undefined || value >> 32n === 0xffffn ? undefined : { family: "IPv6", value };
}

function parseIPv6(text: string): bigint | undefined {
  try {
    return new Address6(text).bigInt();
  } catch {
    return undefined;
  }
}

const zero = "0".charCodeAt(0);
/** Less `zero`, as the digits are. */
const dot = ".".charCodeAt(0) - zero;

/** Written by hand because every endpoint is parsed here, and a library takes ten times as long. */
function parseIPv4(text: string): IpAddress | undefined {
  let value = 0;
  let parts = 0;
  let part = -1;
  for (let index = 0; index <= text.length; index++) {
    const digit = text.charCodeAt(index) - zero;
    if (digit >= 0 && digit <= 9) {
      // Some programs read a number that begins with zero as an octal one.
      if (part === 0) return undefined;
      part = Math.max(part, 0) * 10 + digit;
      if (part > 255) return undefined;
      continue;
    }
    if (part < 0 || (index < text.length && digit !== dot)) return undefined;
    value = value * 256 + part;
    parts += 1;
    part = -1;
  }
  return parts === 4 ? { family: "IPv4", value: BigInt(value) } : undefined;
}

/** Text form: dotted decimal, or RFC 5952 for IPv6 (the only form that the API server accepts without a warning). */
export function formatAddress({ family, value }: IpAddress): string {
  return family === "IPv4" ? formatIPv4(Number(value)) : formatIPv6(value);
}

function formatIPv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Written by hand because this is called often, and a library that makes an object for each address takes ten times as long. */
function formatIPv6(value: bigint): string {
  const groups: number[] = [];
  for (let shift = 96n; shift >= 0n; shift -= 32n) {
    const part = Number((value >> shift) & 0xffff_ffffn);
    groups.push(part >>> 16, part & 0xffff);
  }
  const { from, length } = longestZeros(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  // RFC 5952 section 4.2.2: one group alone is not shortened.
  return length < 2 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`;
}

/** The longest run of zeros; of two equally long ones the first (RFC 5952 section 4.2.3). */
function longestZeros(groups: readonly number[]): { readonly from: number; readonly length: number } {
  let best = { from: 0, length: 0 };
  let from = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) from = index + 1;
    else if (index + 1 - from > best.length) best = { from, length: index + 1 - from };
  }
  return best;
}

/**
 * The name of the VirtualIP object for an address: the text form with `:` written as `-`. A `0` is put where the name would
 * start or end with `-`, which an object name may not (`2001:db8::` becomes `2001-db8--0`); the name stays unique because
 * RFC 5952 text never has that zero.
 */
export function virtualIpName(address: IpAddress): string {
  return formatAddress(address).replaceAll(":", "-").replace(/^-/, "0-").replace(/-$/, "-0");
}

/** The address whose VirtualIP object has this name. Undefined: none. */
export function addressOfVirtualIpName(name: string): IpAddress | undefined {
  const address = parseAddress(name.replaceAll("-", ":"));
  return address === undefined || virtualIpName(address) !== name ? undefined : address;
}

/** Orders by family (IPv4 first), then by value. */
export function compareAddresses(left: IpAddress, right: IpAddress): number {
  if (left.family !== right.family) return left.family === "IPv4" ? -1 : 1;
  return left.value < right.value ? -1 : left.value > right.value ? 1 : 0;
}

/** The address as 4 or 16 bytes in network byte order. */
export function addressBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(familyBits[address.family] / 8);
  let rest = address.value;
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The address from 4 or 16 bytes in network byte order; the inverse of `addressBytes`. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? "IPv4" : "IPv6", value };
}
