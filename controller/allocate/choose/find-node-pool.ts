import type { IpFamily } from "../../../src/ip/address.ts";
import { type Claim, isClaimOf } from "../claim/claim.ts";
import type { RequestedAddress } from "../claim/request.ts";
import { serviceAnnotation } from "../claim/service-annotations.ts";
import type { Pool } from "../pool/pool.ts";
import { type AllocationContext, evaluateAutoAssign } from "./evaluate-pool.ts";
import { findAdmissionRefusal } from "./node-pool.ts";
import { shownAddress } from "./shown-address.ts";

/**
 * The pool of nodes' own addresses that the Service belongs to: the one that it names, requests addresses of, has addresses from or
 * shows addresses of. Without any of these, the first pool that has an address for it, if that is one with nodes' own addresses.
 */
export function findNodePool(
  context: AllocationContext,
  requested: ReadonlyMap<IpFamily, RequestedAddress>,
): Pool | undefined {
  const { allocations, service } = context;
  if (!allocations.nodes.hasPools) return undefined;
  const annotation = serviceAnnotation(service, "pool")?.text;
  if (annotation !== undefined)
    return allocations.pools.find(({ name, nodes }) => name === annotation && nodes !== undefined);
  const asked = [...requested.values()].map(({ address }) => allocations.nodes.poolAt(address));
  if (asked.length > 0) return asked.every((pool) => pool === asked[0]) ? asked[0] : undefined;
  const claims = allocations.claimsOf(service.key).filter((claim) => isClaimOf(claim, service));
  if (claims.some((claim) => claim.node === undefined)) return undefined;
  if (claims.length > 0) return poolOfMostClaims(context, claims);
  for (const family of service.ipFamilies) {
    const shown = shownAddress(service, family);
    if (shown !== undefined) return allocations.nodes.poolAt(shown);
  }
  return firstPoolWithAddress(context);
}

/** Nodes may have changed pools: the pool with most of them now has the Service. */
function poolOfMostClaims({ allocations }: AllocationContext, claims: readonly Claim[]): Pool | undefined {
  const counts = new Map<Pool, number>();
  for (const { address, pool: name } of claims) {
    const pool = allocations.nodes.poolAt(address);
    // Where counts are equal, the pool that they were assigned from.
    if (pool !== undefined) counts.set(pool, (counts.get(pool) ?? 0) + (pool.name === name ? 1.5 : 1));
  }
  return [...counts].sort(([, left], [, right]) => right - left)[0]?.[0];
}

function firstPoolWithAddress(context: AllocationContext): Pool | undefined {
  const { allocations, service } = context;
  let exhausted = false;
  for (const family of service.ipFamilies) {
    for (const pool of allocations.pools) {
      const { address, code } = evaluateAutoAssign(context, pool, family);
      if (address !== undefined) return pool.nodes === undefined ? undefined : pool;
      exhausted ||= code === "PoolExhausted";
    }
  }
  if (exhausted) return undefined;
  // No pool has an address: one in which only a port conflicts gives the most useful reason.
  return allocations.pools.find(
    (pool) =>
      pool.nodes !== undefined &&
      pool.autoAssign &&
      !pool.draining &&
      findAdmissionRefusal(pool, service, context.namespaceLabels) === undefined,
  );
}
