import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import { formatRange, type IpRange } from "../../../src/ip/range.ts";
import { RangeMap } from "../../../src/ip/range-map.ts";
import { type Reason, type ReasonCode, reasonOf } from "../../../src/model/reason.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { compareAge, comparePools, type Pool, type PoolParse, parsePool, poolObject } from "./pool.ts";
import type { PoolEntry } from "./pool-ranges.ts";

/** All pools of one moment: those that can be used, and why the others cannot. */
export interface PoolSet {
  /** In the order in which they are tried. */
  readonly usable: readonly Pool[];
  readonly rejected: ReadonlyMap<string, Reason>;
}

/**
 * Rejects invalid pools, pools that overlap the cluster's own networks, and of pools that overlap each other all but the oldest (the
 * first by name where they are equally old), so that a mistake in a new pool cannot disturb one in use. Each range is compared with
 * those of older pools by binary search.
 */
export function choosePools(pools: Iterable<IPAddressPool>, networks: readonly ClusterNetwork[] = []): PoolSet {
  const rejected = new Map<string, Reason>();
  const sound: Pool[] = [];
  for (const raw of pools) {
    const { pool, reason } = readPool(raw);
    if (pool === undefined) rejected.set(raw.metadata.name, reason);
    else sound.push(pool);
  }
  const reserved: Reserved = { Service: new RangeMap(), Pod: new RangeMap() };
  for (const network of networks) reserved[network.use].fill(network.range, network);
  const taken = new RangeMap<TakenRange>();
  const usable: Pool[] = [];
  for (const pool of sound.sort(compareAge)) {
    const reason = networkOverlapOf(pool, reserved) ?? overlapOf(pool, taken);
    if (reason !== undefined) {
      rejected.set(pool.name, reason);
      continue;
    }
    usable.push(pool);
    for (const range of pool.ranges) taken.fill(range, { range, pool });
  }
  return { usable: usable.sort(comparePools), rejected: rejected };
}

/** The networks of the cluster by use: a pool may be allowed to overlap those of one use. */
type Reserved = Readonly<Record<ClusterNetwork["use"], RangeMap<ClusterNetwork>>>;

interface TakenRange {
  readonly range: IpRange;
  readonly pool: Pool;
}

const parsed = new WeakMap<IPAddressPool, PoolParse>();

/**
 * Reads a pool, once for each object: a change of one pool makes all pools be chosen again, and reading them is most of that work. Objects of
 * a watch are not modified.
 */
export function readPool(raw: IPAddressPool): PoolParse {
  let parse = parsed.get(raw);
  if (parse === undefined) {
    parse = parsePool(raw);
    parsed.set(raw, parse);
  }
  return parse;
}

function overlapOf(pool: Pool, taken: RangeMap<TakenRange>): Reason | undefined {
  const overlap = findOverlap(pool, taken);
  if (overlap === undefined) return undefined;
  const { entry, other } = overlap;
  const detail = `The older pool ${other.pool.name} has ${formatRange(other.range)} and stays in use.`;
  return entryReason("PoolOverlaps", pool, entry, detail);
}

function networkOverlapOf(pool: Pool, reserved: Reserved): Reason | undefined {
  const overlap =
    findOverlap(pool, reserved.Service) ?? (pool.mayOverlapPods ? undefined : findOverlap(pool, reserved.Pod));
  if (overlap === undefined) return undefined;
  const { range, use, source } = overlap.other;
  const code = use === "Service" ? "PoolOverlapsServiceNetwork" : "PoolOverlapsPodNetwork";
  const network = use === "Service" ? `The network of ${source}` : `The pod network of ${source}`;
  return entryReason(code, pool, overlap.entry, `${network} is ${formatRange(range)}.`);
}

/** The first entry that has addresses in common with the map, and what is at the lowest of them. */
function findOverlap<Value>(
  { entries }: Pool,
  map: RangeMap<Value>,
): { readonly entry: PoolEntry; readonly other: Value } | undefined {
  for (const entry of entries) {
    for (const range of entry.ranges) {
      const other = map.firstIn(range);
      if (other !== undefined) return { entry, other };
    }
  }
  return undefined;
}

function entryReason(code: ReasonCode, pool: Pool, { field, text }: PoolEntry, detail: string): Reason {
  return reasonOf(code, { object: poolObject(pool.name), field, value: text, detail });
}
