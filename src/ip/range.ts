import { familyBits, formatAddress, type IpAddress, type IpFamily, parseAddress } from "./address.ts";

/** A closed interval of addresses of one family: `first` and `last` both belong to it, first <= last. */
export interface IpRange {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

/** Why a text is not a range of addresses. */
export type RangeParseError = "NotAnAddress" | "BadPrefixLength" | "HostBitsSet" | "MixedFamilies" | "Reversed";

export type RangeParse =
  | { readonly range: IpRange; readonly error?: never }
  | { readonly range?: never; readonly error: RangeParseError };

/**
 * Reads `192.0.2.0/24`, `192.0.2.10-192.0.2.20` (blanks around the dash allowed) or a single address. A CIDR whose host bits
 * are set is refused, because it is usually a mistake. Never throws.
 */
export function parseRange(text: string): RangeParse {
  const dash = text.indexOf("-");
  if (dash >= 0) return parseFirstLast(text.slice(0, dash).trim(), text.slice(dash + 1).trim());
  const slash = text.indexOf("/");
  if (slash >= 0) return parseCidr(text.slice(0, slash), text.slice(slash + 1));
  const address = parseAddress(text);
  return address === undefined ? { error: "NotAnAddress" } : { range: singleRange(address) };
}

function parseFirstLast(firstText: string, lastText: string): RangeParse {
  const first = parseAddress(firstText);
  const last = parseAddress(lastText);
  if (first === undefined || last === undefined) return { error: "NotAnAddress" };
  if (first.family !== last.family) return { error: "MixedFamilies" };
  if (first.value > last.value) return { error: "Reversed" };
  return { range: { family: first.family, first: first.value, last: last.value } };
}

function parseCidr(addressText: string, lengthText: string): RangeParse {
  const address = parseAddress(addressText);
  if (address === undefined) return { error: "NotAnAddress" };
  const bits = familyBits[address.family];
  if (!/^(0|[1-9][0-9]{0,2})$/.test(lengthText) || Number(lengthText) > bits) return { error: "BadPrefixLength" };
  const hostMask = (1n << BigInt(bits - Number(lengthText))) - 1n;
  if ((address.value & hostMask) !== 0n) return { error: "HostBitsSet" };
  return { range: { family: address.family, first: address.value, last: address.value | hostMask } };
}

/** The range of this one address. */
export function singleRange(address: IpAddress): IpRange {
  return { family: address.family, first: address.value, last: address.value };
}

/**
 * The subnet of an interface address such as `172.30.0.11/24`: host bits are cleared, not refused. Undefined if the text is not an
 * address with a prefix length.
 */
export function subnetOf(interfaceAddress: string): IpRange | undefined {
  const [addressText = "", lengthText = ""] = interfaceAddress.split("/");
  const address = parseAddress(addressText);
  if (address === undefined || !/^\d{1,3}$/.test(lengthText)) return undefined;
  const hostBits = familyBits[address.family] - Number(lengthText);
  if (hostBits < 0) return undefined;
  const hostMask = (1n << BigInt(hostBits)) - 1n;
  return { family: address.family, first: address.value & ~hostMask, last: address.value | hostMask };
}

export function rangeContains(range: IpRange, address: IpAddress): boolean {
  return range.family === address.family && range.first <= address.value && address.value <= range.last;
}

export function rangesOverlap(left: IpRange, right: IpRange): boolean {
  return left.family === right.family && left.first <= right.last && right.first <= left.last;
}

/** The parts of the range that are in none of the others, in ascending order. */
export function subtractRanges(range: IpRange, others: readonly IpRange[]): readonly IpRange[] {
  return others.reduce<readonly IpRange[]>(
    (left, other) => left.flatMap((part) => subtractRange(part, other)),
    [range],
  );
}

function subtractRange(range: IpRange, other: IpRange): readonly IpRange[] {
  if (!rangesOverlap(range, other)) return [range];
  const below = { ...range, last: other.first - 1n };
  const above = { ...range, first: other.last + 1n };
  return [below, above].filter((part) => part.first <= part.last);
}

/** How many addresses the range has; exact for any size. */
export function rangeSize(range: IpRange): bigint {
  return range.last - range.first + 1n;
}

/** `first-last`, or the single address. */
export function formatRange(range: IpRange): string {
  const first = formatAddress({ family: range.family, value: range.first });
  return range.first === range.last ? first : `${first}-${formatAddress({ family: range.family, value: range.last })}`;
}
