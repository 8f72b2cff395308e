import { compareAddresses, type IpAddress } from "../../src/ip/address.ts";
import type { Reason } from "../../src/model/reason.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import type { BlockedAddress } from "../allocate/allocations/blocked-addresses.ts";
import type { FamilyCount } from "../allocate/allocations/free-addresses.ts";
import type { Watched } from "../observe/sources.ts";

/** What the status of a pool is made from. */
export interface PoolFacts {
  /** Why the pool is rejected. Undefined: it is usable. */
  readonly rejected: Reason | undefined;
  readonly draining: boolean;
  /** Whether it has nodes' own addresses instead of addresses of its own. */
  readonly ofNodes: boolean;
  /** Addresses that Services keep although the pool no longer contains them. Sorted, so that all controllers report the same. */
  readonly outside: readonly IpAddress[];
  /** Addresses of the pool that cannot be assigned because something else uses them. Sorted. */
  readonly blocked: readonly BlockedAddress[];
  /** Undefined where the pool is rejected. */
  readonly ipv4: FamilyCount | undefined;
  readonly ipv6: FamilyCount | undefined;
}

/** Collects the facts of one pool. Costs O(addresses outside all pools + blocked addresses). */
export function poolFactsOf(name: string, pools: Watched["pools"], allocations: AddressAllocations): PoolFacts {
  const spec = pools.views.get(name)?.spec;
  return {
    rejected: allocations.rejected.get(name),
    draining: spec?.state === "Draining",
    ofNodes: spec?.nodeAddresses !== undefined,
    outside: [...allocations.outside.values()]
      .filter((claim) => claim.pool === name)
      .map(({ address }) => address)
      .sort(compareAddresses),
    blocked: allocations.blockedIn(name),
    ipv4: allocations.countOf(name, "IPv4"),
    ipv6: allocations.countOf(name, "IPv6"),
  };
}
