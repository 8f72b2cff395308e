import { familyBits, type IpFamily } from "../ip/address.ts";
import { type IpRange, subnetOf } from "../ip/range.ts";

export interface SourceRanges {
  /** Undefined: every client is admitted. Otherwise disjoint ranges in ascending order; empty: no client is admitted. */
  readonly allowed: Readonly<Record<IpFamily, readonly IpRange[] | undefined>>;
  /** The texts that are not CIDRs. */
  readonly invalid: readonly string[];
}

/**
 * Reads loadBalancerSourceRanges as kube-proxy does: a family without ranges admits every client, and so does one with a
 * range of all its addresses; host bits are ignored. A text that is not a CIDR admits no client, but counts as a range of the family that
 * it looks like, or of both: a typing mistake must not open a Service.
 */
export function readSourceRanges(texts: readonly string[]): SourceRanges {
  const ranges: Record<IpFamily, IpRange[] | undefined> = { IPv4: undefined, IPv6: undefined };
  const invalid: string[] = [];
  for (const text of texts) {
    const range = subnetOf(text);
    const families: readonly IpFamily[] = range === undefined ? familiesLike(text) : [range.family];
    if (range === undefined) invalid.push(text);
    for (const family of families) {
      const list = ranges[family] ?? [];
      ranges[family] = list;
      if (range !== undefined) list.push(range);
    }
  }
  return { allowed: { IPv4: mergeRanges(ranges.IPv4), IPv6: mergeRanges(ranges.IPv6) }, invalid };
}

function familiesLike(text: string): readonly IpFamily[] {
  if (text.includes(":")) return ["IPv6"];
  return text.includes(".") ? ["IPv4"] : ["IPv4", "IPv6"];
}

/** Joins ranges that overlap or are adjacent, which nftables refuses in one set. */
function mergeRanges(ranges: readonly IpRange[] | undefined): readonly IpRange[] | undefined {
  if (ranges === undefined) return undefined;
  const merged: IpRange[] = [];
  for (const range of [...ranges].sort((left, right) =>
    left.first < right.first ? -1 : left.first > right.first ? 1 : 0,
  )) {
    const last = merged.at(-1);
    if (last === undefined || range.first > last.last + 1n) merged.push(range);
    else if (range.last > last.last) merged[merged.length - 1] = { ...last, last: range.last };
  }
  return merged.some(isEverything) ? undefined : merged;
}

function isEverything(range: IpRange): boolean {
  return range.first === 0n && range.last === (1n << BigInt(familyBits[range.family])) - 1n;
}
