import { compareAddresses, type IpFamily } from "../../../src/ip/address.ts";
import { type Claim, isClaimOf } from "../claim/claim.ts";
import { mustLeave } from "../claim/reassign.ts";
import { findSharingConflict } from "../claim/sharing.ts";
import { describeAdmissionRefusal, isAvoided } from "../pool/pool.ts";
import type { AllocationContext } from "./evaluate-pool.ts";
import { shownAddress } from "./shown-address.ts";

/** Of the claims that it may keep beside the Services that share them, and need not leave: the one that the status shows, else the lowest. */
export function currentClaim({ allocations, service }: AllocationContext, family: IpFamily): Claim | undefined {
  const claims = allocations
    .claimsOf(service.key)
    .filter((claim) => claim.address.family === family && isClaimOf(claim, service))
    .filter((claim) => claim.heldUntilMs === undefined && claim.node === undefined)
    .filter((claim) => findSharingConflict(claim, service) === undefined)
    .sort((left, right) => compareAddresses(left.address, right.address));
  const settled = claims.filter((claim) => !mustLeave(claim, service));
  const eligible = settled.length > 0 ? settled : claims;
  const shown = shownAddress(service, family);
  return eligible.find((claim) => claim.address.value === shown?.value) ?? eligible[0];
}

/** An address held since a Service of this name was deleted, from a pool that would assign it again. */
export function heldClaim(
  { allocations, service, namespaceLabels }: AllocationContext,
  family: IpFamily,
  poolName: string | undefined,
) {
  return allocations.claimsOf(service.key).find((claim) => {
    const pool = allocations.poolOf(claim.address);
    return (
      claim.heldUntilMs !== undefined &&
      claim.address.family === family &&
      pool !== undefined &&
      !pool.draining &&
      !isAvoided(pool, claim.address) &&
      (poolName === undefined || pool.name === poolName) &&
      describeAdmissionRefusal(pool, service, namespaceLabels) === undefined &&
      allocations.blockedBy(claim.address, service) === undefined &&
      allocations.shownElsewhere(claim.address, service.key) === undefined
    );
  });
}
