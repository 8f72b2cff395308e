import { compareAddresses, type IpFamily } from "../../../src/ip/address.ts";
import type { Claim } from "../claim/claim.ts";
import { findJoiningConflict, sharingOf } from "../claim/sharing.ts";
import { describeAdmissionRefusal, isAvoided } from "../pool/pool.ts";
import type { AllocationContext } from "./evaluate-pool.ts";

/**
 * The lowest address that Services with the same sharing key have and that this one may join, from a pool that would assign it an
 * address of its own. `left`: a claim that it is to leave. Undefined: it needs an address of its own, which others may join.
 */
export function findShared(
  { allocations, service, namespaceLabels }: AllocationContext,
  family: IpFamily,
  poolName: string | undefined,
  left?: Claim,
): Claim | undefined {
  const sharing = sharingOf(service);
  if (sharing === undefined) return undefined;
  return allocations
    .claimsSharing(sharing.key)
    .filter((claim) => {
      const pool = allocations.poolOf(claim.address);
      return (
        claim.address.family === family &&
        claim.name !== left?.name &&
        pool !== undefined &&
        !pool.draining &&
        !isAvoided(pool, claim.address) &&
        (poolName === undefined ? pool.autoAssign : pool.name === poolName) &&
        describeAdmissionRefusal(pool, service, namespaceLabels) === undefined &&
        allocations.blockedBy(claim.address, service) === undefined &&
        allocations.shownElsewhere(claim.address, service.key) === undefined &&
        findJoiningConflict(claim, service, pool.sharedAcrossNamespaces) === undefined
      );
    })
    .sort((left, right) => compareAddresses(left.address, right.address))[0];
}
