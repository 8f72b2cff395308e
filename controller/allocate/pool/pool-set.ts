import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import { formatRange } from "../../../src/ip/range.ts";
import { type Reason, type ReasonCode, reasonOf } from "../../../src/model/reason.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { compareAge, comparePools, type Pool, parsePool, poolObject } from "./pool.ts";
import { findOverlap, type PoolEntry } from "./pool-ranges.ts";

/** All pools of one moment: those that give addresses, and why the others do not. */
export interface PoolSet {
  /** In the order in which they are tried. */
  readonly usable: readonly Pool[];
  readonly rejected: ReadonlyMap<string, Reason>;
}

/**
 * Sorts out broken pools, those that overlap the cluster's own networks, and of pools that overlap one another all but the oldest
 * (by name where they are equally old), so that a slip in a new pool cannot disturb one that serves.
 */
export function choosePools(pools: Iterable<IPAddressPool>, networks: readonly ClusterNetwork[] = []): PoolSet {
  const rejected = new Map<string, Reason>();
  const valid: Pool[] = [];
  for (const raw of pools) {
    const { pool, reason } = parsePool(raw);
    if (pool === undefined) rejected.set(raw.metadata.name, reason);
    else valid.push(pool);
  }
  const usable: Pool[] = [];
  for (const pool of valid.sort(compareAge)) {
    const reason = networkOverlapOf(pool, networks) ?? overlapOf(pool, usable);
    if (reason === undefined) usable.push(pool);
    else rejected.set(pool.name, reason);
  }
  return { usable: usable.sort(comparePools), rejected };
}

function overlapOf(pool: Pool, older: readonly Pool[]): Reason | undefined {
  for (const other of older) {
    const overlap = findOverlap(pool.entries, other.ranges);
    if (overlap === undefined) continue;
    const detail = `The older pool ${other.name} has ${formatRange(overlap.other)} and stays in use.`;
    return entryReason("PoolOverlaps", pool, overlap.entry, detail);
  }
  return undefined;
}

function networkOverlapOf(pool: Pool, networks: readonly ClusterNetwork[]): Reason | undefined {
  for (const { range, use, source } of networks) {
    const overlap = findOverlap(pool.entries, [range]);
    if (overlap === undefined) continue;
    const code = use === "Service" ? "PoolOverlapsServiceNetwork" : "PoolOverlapsPodNetwork";
    const whose = use === "Service" ? `The network of ${source}` : `The pod network of ${source}`;
    return entryReason(code, pool, overlap.entry, `${whose} is ${formatRange(range)}.`);
  }
  return undefined;
}

function entryReason(code: ReasonCode, pool: Pool, { field, text }: PoolEntry, detail: string): Reason {
  return reasonOf(code, { object: poolObject(pool.name), field, value: text, detail });
}
