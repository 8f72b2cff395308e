import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import {
  formatRange,
  type IpRange,
  parseRange,
  type RangeParseError,
  rangesOverlap,
  subnetOf,
} from "../../../src/ip/range.ts";
import { RangeMap } from "../../../src/ip/range-map.ts";
import { type Reason, reasonOf } from "../../../src/model/reason.ts";

/** One entry of `spec.addresses`. */
export interface PoolEntry {
  /** `spec.addresses[2]`. */
  readonly field: string;
  readonly text: string;
  /** What `spec.exclude` leaves of it. */
  readonly ranges: readonly IpRange[];
}

/** The entries that could be read, and why the others could not. */
export interface EntriesParse {
  readonly entries: readonly PoolEntry[];
  readonly excluded: readonly IpRange[];
  readonly reasons: readonly Reason[];
}

interface ReadRange {
  readonly field: string;
  readonly text: string;
  readonly range: IpRange;
}

/** What is wrong with the text of a range, and what was probably meant. */
function describeRangeParseError(text: string, error: RangeParseError): string {
  switch (error) {
    case "NotAnAddress":
      return "A part of it is not an IPv4 or IPv6 address.";
    case "BadPrefixLength":
      return "The part after the / is not a prefix length of this IP family.";
    case "HostBitsSet": {
      const [address = "", length = ""] = text.split("/");
      const network = formatRange(subnetOf(text) ?? { family: "IPv4", first: 0n, last: 0n }).split("-")[0];
      return `Host bits are set. The network is ${network}/${length}, and the single address is ${address}.`;
    }
    case "MixedFamilies":
      return "One end is IPv4, and the other is IPv6.";
    case "Reversed": {
      const [first = "", last = ""] = text.split("-");
      return `The last address is lower than the first. In ascending order it is ${last.trim()}-${first.trim()}.`;
    }
  }
}

/**
 * Addresses that no Service can have, and what they are (RFC 6890). Link-local ones exist on every LAN, and routers do not forward to
 * them (RFC 3927, RFC 4291). IPv4-mapped ones are IPv4 addresses in the programs of a host and never on the wire (RFC 4291).
 */
const specialRanges = (
  [
    ["0.0.0.0/8", "unspecified"],
    ["127.0.0.0/8", "loopback"],
    ["169.254.0.0/16", "link-local"],
    ["224.0.0.0/4", "multicast"],
    ["240.0.0.0/4", "reserved"],
    ["::/128", "unspecified"],
    ["::1/128", "loopback"],
    ["fe80::/10", "link-local"],
    ["ff00::/8", "multicast"],
  ] as const
)
  .map(([text, kind]) => ({ range: parseRange(text).range as IpRange, kind: kind as string }))
  // A pool is refused for the same form in text: `parseRange` does not read IPv4-mapped addresses.
  .concat({ range: { family: "IPv6", first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn }, kind: "IPv4-mapped" });

/** Reads `spec.addresses` and `spec.exclude`, with one reason at most per entry. */
export function parseEntries(object: string, spec: IPAddressPool["spec"]): EntriesParse {
  const read: ReadRange[] = [];
  const earlier = new RangeMap<ReadRange>();
  const reasons: Reason[] = [];
  for (const [index, text] of (spec.addresses ?? []).entries()) {
    const { range, reason } = readRange(object, `spec.addresses[${index}]`, text);
    const found = range === undefined ? reason : findPlacementReason(object, range, earlier);
    if (found !== undefined) reasons.push(found);
    if (range === undefined) continue;
    read.push(range);
    earlier.fill(range.range, range);
  }
  const excluded: IpRange[] = [];
  const holes = new RangeMap<true>();
  for (const [index, text] of spec.exclude.entries()) {
    const { range, reason } = readRange(object, `spec.exclude[${index}]`, text);
    if (range === undefined) {
      reasons.push(reason);
      continue;
    }
    excluded.push(range.range);
    holes.fill(range.range, true);
  }
  return {
    entries: read.map(({ field, text, range }) => ({ field, text, ranges: holes.gapsIn(range) })),
    excluded,
    reasons,
  };
}

/** Why a range cannot be used: no Service can have its addresses, or it overlaps an earlier entry. */
function findPlacementReason(
  object: string,
  { field, text, range }: ReadRange,
  earlier: RangeMap<ReadRange>,
): Reason | undefined {
  const about = { object, field, value: text };
  const special = specialRanges.find((candidate) => rangesOverlap(candidate.range, range));
  if (special !== undefined) {
    const detail = `${formatRange(special.range)} are ${special.kind} addresses.`;
    return reasonOf("PoolRangeSpecial", { ...about, detail });
  }
  const other = earlier.firstIn(range);
  if (other === undefined) return undefined;
  return reasonOf("PoolRangesOverlap", { ...about, detail: `The other entry is ${other.text} in ${other.field}.` });
}

function readRange(
  object: string,
  field: string,
  text: string,
): { readonly range: ReadRange; readonly reason?: never } | { readonly range?: never; readonly reason: Reason } {
  const { range, error } = parseRange(text);
  if (range !== undefined) return { range: { field, text, range } };
  return {
    reason: reasonOf("PoolRangeInvalid", { object, field, value: text, detail: describeRangeParseError(text, error) }),
  };
}
