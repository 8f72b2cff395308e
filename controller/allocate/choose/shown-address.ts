import { type IpAddress, type IpFamily, parseAddress } from "../../../src/ip/address.ts";
import { loadBalancerFinalizer, type ServiceView } from "../../../src/model/service.ts";
import type { Claim } from "../claim/claim.ts";
import { findJoiningConflict } from "../claim/sharing.ts";
import type { AllocationContext } from "./evaluate-pool.ts";

/** An address that the Service may go on showing although no claim names the Service. */
export interface AdoptableAddress {
  readonly address: IpAddress;
  /** The pool that it counts as being from. */
  readonly pool: string | undefined;
  /** That of others who share it; undefined: it is to be claimed. */
  readonly claim: Claim | undefined;
}

/** What the status of the Service shows of this family. */
export function shownAddress(service: ServiceView, family: IpFamily): IpAddress | undefined {
  return service.ingress.map((entry) => parseAddress(entry.ip)).find((address) => address?.family === family);
}

/**
 * An address in the status without a claim: given before Bellhop came, or its VirtualIP was lost or deleted by hand. It stays if
 * nobody else has it: one that no pool has, only where we gave it.
 */
export function findAdoptable(
  { allocations, service }: AllocationContext,
  family: IpFamily,
  poolName: string | undefined,
): AdoptableAddress | undefined {
  const address = shownAddress(service, family);
  if (address === undefined || allocations.blockedBy(address) !== undefined) return undefined;
  const pool = allocations.poolOf(address);
  // No pool vouches for what somebody else has shown, or for what any writer of a status may have put there.
  if (pool === undefined && !isAssignedByBellhop(service)) return undefined;
  if (pool !== undefined && poolName !== undefined && pool.name !== poolName) return undefined;
  const claim = allocations.claimAt(address);
  // Both show it, and both say that they share it: so it was before we came, in whatever namespaces.
  if (claim !== undefined && findJoiningConflict(claim, service, true) !== undefined) return undefined;
  // One that no pool has any more counts as being from the pool that the Service names, as it did before its claim was lost.
  return { address, pool: pool?.name ?? poolName, claim };
}

/** Our condition and the finalizer that we write with every address: what the Service shows was given by us. */
export function isAssignedByBellhop({ addressReady, finalizers }: ServiceView): boolean {
  return addressReady !== undefined && finalizers.includes(loadBalancerFinalizer);
}
