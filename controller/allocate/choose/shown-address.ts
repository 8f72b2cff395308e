import { formatAddress, type IpAddress, type IpFamily, parseAddress } from "../../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { isAssignedByBellhop, namesAssigned } from "../claim/assigned-condition.ts";
import { describeClaim, isClaimOf } from "../claim/claim.ts";
import { reassignOf } from "../claim/reassign.ts";
import { findJoiningConflict } from "../claim/sharing.ts";
import { type Assignment, assignmentOf, newAssignment } from "./allocation.ts";
import type { AllocationContext } from "./evaluate-pool.ts";

/** The first address of this family in the status of the Service. */
export function shownAddress(service: ServiceView, family: IpFamily): IpAddress | undefined {
  return service.ingress.map((entry) => parseAddress(entry.ip)).find((address) => address?.family === family);
}

/**
 * Why it is not known whether the Service may keep what it shows: the VirtualIP of the address is not valid. It may claim the address
 * for this Service or for another one, so nothing is taken and nothing is assigned. What another client has written beside a claim of the
 * Service, or in a family that it does not have, does not count: it is replaced.
 */
export function findInvalidClaim({ allocations, service }: AllocationContext): Reason | undefined {
  const field = "status.loadBalancer.ingress";
  const claimed = allocations.claimsOf(service.key).filter(({ heldUntilMs }) => heldUntilMs === undefined);
  const unknown = service.ingress.find(({ ip }) => {
    const address = parseAddress(ip);
    if (address === undefined || !service.ipFamilies.includes(address.family)) return false;
    if (claimed.some((claim) => claim.address.family === address.family && isClaimOf(claim, service))) return false;
    return allocations.claimAt(address) === undefined && allocations.hasInvalidClaim(address);
  });
  if (unknown === undefined) return undefined;
  return reasonOf("AddressClaimInvalid", { object: serviceObject(service), field, value: unknown.ip });
}

/**
 * Why the Service stays as it is: another client assigned the address of a pool that it shows, and it cannot be adopted, because something
 * other than a Service uses it, or the user has reserved it for others. kube-vip, for example, puts the addresses that it serves on an
 * interface of a node. Undefined where the user requests another address.
 */
export function findTakenShown(
  { allocations, service }: AllocationContext,
  family: IpFamily,
  poolName: string | undefined,
): Reason | undefined {
  const address = shownAddress(service, family);
  if (address === undefined || isAssignedByBellhop(service) || reassignOf(service) !== undefined) return undefined;
  const pool = allocations.poolOf(address);
  if (pool === undefined || (poolName !== undefined && pool.name !== poolName)) return undefined;
  if (allocations.claimsOf(service.key).some((claim) => isClaimOf(claim, service))) return undefined;
  const claim = allocations.claimAt(address);
  const reserved =
    claim?.managed === false && findJoiningConflict(claim, service, true) !== undefined
      ? describeClaim(claim, service.namespace)
      : undefined;
  const detail = allocations.blockedBy(address, service) ?? reserved;
  if (detail === undefined) return undefined;
  const field = "status.loadBalancer.ingress";
  return reasonOf("ShownAddressTaken", {
    object: serviceObject(service),
    field,
    value: formatAddress(address),
    detail,
  });
}

/**
 * An address in the status without a claim: it was assigned before Bellhop was installed, or its VirtualIP was lost or deleted by hand. It
 * stays if nothing else uses it. One outside all pools stays only if we assigned it.
 */
export function adoptShown(
  { allocations, service }: AllocationContext,
  family: IpFamily,
  poolName: string | undefined,
): Assignment | undefined {
  const address = shownAddress(service, family);
  if (address === undefined || allocations.blockedBy(address, service) !== undefined) return undefined;
  const pool = allocations.poolOf(address);
  // Outside all pools, any client that may write the status may have put the address there.
  if (pool === undefined && !(isAssignedByBellhop(service) && namesAssigned(service, address))) return undefined;
  if (pool !== undefined && poolName !== undefined && pool.name !== poolName) return undefined;
  const claim = allocations.claimAt(address);
  // Both show it and both share it: so they did before Bellhop was installed, whatever their namespaces.
  if (claim !== undefined && findJoiningConflict(claim, service, true) !== undefined) return undefined;
  // Outside all pools it counts as being from the pool that the Service names, as before its claim was lost.
  return claim === undefined ? newAssignment(address, pool?.name ?? poolName) : assignmentOf(service, claim);
}
