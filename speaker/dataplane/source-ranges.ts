import type { IpFamily } from "../../src/ip/address.ts";
import { familyBits } from "../../src/ip/address.ts";
import { type IpRange, subnetOf } from "../../src/ip/range.ts";

export interface SourceRanges {
  /** Undefined: everyone may. Otherwise disjoint ranges in rising order; none of them: nobody may. */
  readonly allowed: Readonly<Record<IpFamily, readonly IpRange[] | undefined>>;
  /** What could not be read. */
  readonly garbage: readonly string[];
}

/**
 * Reads loadBalancerSourceRanges as kube-proxy does: a family without a range of its own is open to everyone, and so is one
 * with a range of all its addresses; host bits do not matter. What is no CIDR allows nobody, and closes the family that it looks
 * like, or both: a slip of the pen must not open a Service.
 */
export function readSourceRanges(texts: readonly string[]): SourceRanges {
  const ranges: Record<IpFamily, IpRange[] | undefined> = { IPv4: undefined, IPv6: undefined };
  const garbage: string[] = [];
  for (const text of texts) {
    const range = subnetOf(text);
    const families: readonly IpFamily[] = range === undefined ? familiesOfGarbage(text) : [range.family];
    if (range === undefined) garbage.push(text);
    for (const family of families) {
      const list = ranges[family] ?? [];
      ranges[family] = list;
      if (range !== undefined) list.push(range);
    }
  }
  return { allowed: { IPv4: mergeRanges(ranges.IPv4), IPv6: mergeRanges(ranges.IPv6) }, garbage };
}

function familiesOfGarbage(text: string): readonly IpFamily[] {
  if (text.includes(":")) return ["IPv6"];
  return text.includes(".") ? ["IPv4"] : ["IPv4", "IPv6"];
}

/** Joins what overlaps or touches, which nftables refuses in one set. */
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
