import { formatAddress } from "../../../src/ip/address.ts";
import { rangeContains } from "../../../src/ip/range.ts";
import type { Forwarding } from "../../../src/model/forwarding.ts";
import { type Reason, reasonOf } from "../../../src/model/reason.ts";
import { type Claim, currentPoolOf } from "../claim/claim.ts";
import type { AllocationsReader } from "./address-allocations.ts";

/** Which pool the address of a claim belongs to now. */
export interface PoolMembership {
  /** The pool that contains the address. Undefined: none does. */
  readonly pool: string | undefined;
  /** How traffic reaches the pods, by spec.forwarding of that pool. */
  readonly forwarding: Forwarding | undefined;
  /** Why none does. Undefined for a reservation, which may be outside all pools. */
  readonly reason: Reason | undefined;
}

/** Finds the pool of a claim as pools are now. Takes no address away. */
export function poolMembershipOf(allocations: AllocationsReader, claim: Claim): PoolMembership {
  const { name: pool, forwarding } = currentPoolOf(allocations, claim) ?? {};
  if (pool !== undefined || !claim.managed) return { pool, forwarding, reason: undefined };
  const about = { object: `VirtualIP ${claim.name}`, field: "spec.address", value: formatAddress(claim.address) };
  return {
    pool,
    forwarding,
    reason: reasonOf("AddressOutsidePool", { ...about, detail: describeOutside(allocations, claim) }),
  };
}

function describeOutside({ pools, rejected }: AllocationsReader, { address, pool: name, node }: Claim): string {
  if (name === undefined) return "No pool contains it.";
  const rejection = rejected.get(name);
  if (rejection !== undefined) return `Pool ${name} is rejected (${rejection.code}).`;
  const pool = pools.find((candidate) => candidate.name === name);
  if (pool === undefined) return `Pool ${name} no longer exists.`;
  if (node !== undefined) return `Pool ${name} no longer includes Node ${node}.`;
  const excluded = pool.excluded.some((range) => rangeContains(range, address));
  return excluded ? `Pool ${name} excludes it.` : `Pool ${name} no longer contains it.`;
}
