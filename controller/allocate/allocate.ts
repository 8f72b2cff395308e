import type { IpFamily } from "../../src/ip/address.ts";
import { type Reason, type ReasonCode, reasonOf, serviceObject } from "../../src/model/reason.ts";
import type { ServiceView } from "../../src/model/service.ts";
import type { AllocationsReader } from "./allocations/address-allocations.ts";
import { describeDraining, describeNotInPool } from "./allocations/describe-pools.ts";
import {
  type AddressChoice,
  type Allocation,
  type Assignment,
  assignmentOf,
  newAssignment,
} from "./choose/allocation.ts";
import { currentClaim, heldClaim } from "./choose/current-claim.ts";
import type { AllocationContext } from "./choose/evaluate-pool.ts";
import { findNodePool } from "./choose/find-node-pool.ts";
import { chooseFromAny, chooseFromNamed } from "./choose/new-address.ts";
import { allocateNodeAddresses, keptNodeAddresses } from "./choose/node-allocation.ts";
import { findShared } from "./choose/shared-address.ts";
import { adoptShown, findInvalidClaim, findTakenShown } from "./choose/shown-address.ts";
import { type Claim, isClaimOf } from "./claim/claim.ts";
import { mustLeave } from "./claim/reassign.ts";
import { parseRequest, type RequestedAddress } from "./claim/request.ts";
import { serviceAnnotation } from "./claim/service-annotations.ts";
import { findJoiningConflict, findSharingConflict, findSharingLimit } from "./claim/sharing.ts";
import { describeAdmissionRefusal, isAvoided } from "./pool/pool.ts";

/**
 * Decides which addresses one Service has. Changes nothing. An address that the Service has stays as long as the user does not request
 * otherwise, whatever happens to its pool. A requested address is assigned or refused, never replaced by another; after a refusal the
 * Service keeps what it has.
 */
export function allocate(
  allocations: AllocationsReader,
  service: ServiceView,
  namespaceLabels: Readonly<Record<string, string>>,
): Allocation {
  const context: AllocationContext = { allocations, service, namespaceLabels };
  const unknown = findInvalidClaim(context);
  if (unknown !== undefined) return { assignments: [], reason: unknown, satisfied: false, unknown: true };
  const { requested, reason } = parseRequest(service);
  if (requested === undefined) return { assignments: currentAssignments(context), reason, satisfied: false };
  const nodePool = findNodePool(context, requested);
  const limit = findSharingLimit(service, nodePool !== undefined);
  if (limit !== undefined) return { assignments: currentAssignments(context), reason: limit, satisfied: false };
  if (nodePool !== undefined) return allocateNodeAddresses(context, nodePool, requested);
  const requestsNothing = serviceAnnotation(service, "pool") === undefined && requested.size === 0;
  const nodeAddresses = requestsNothing && !hasPoolAddress(context) ? keptNodeAddresses(context) : [];
  // Their pool is gone or rejected, which takes no address away.
  if (nodeAddresses.length > 0) return { assignments: nodeAddresses, reason: undefined, satisfied: true };
  const poolName = serviceAnnotation(service, "pool")?.text;
  const taken = service.ipFamilies
    .filter((family) => !requested.has(family))
    .flatMap((family) => findTakenShown(context, family, poolName) ?? []);
  if (taken[0] !== undefined) return { assignments: [], reason: taken[0], satisfied: false, unknown: true };
  const choices = service.ipFamilies.map((family) => chooseAddress(context, family, requested.get(family)));
  const refusals = new Map<IpFamily, Reason>();
  for (const [index, family] of service.ipFamilies.entries()) {
    const choice = choices[index];
    if (choice !== undefined && choice.assignment === undefined) refusals.set(family, choice.reason);
  }
  const [refusal] = refusals.values();
  const assignments = choices.flatMap((choice) => choice.assignment ?? []);
  if (refusal === undefined) {
    const keptReason = choices.find((choice) => choice.reason !== undefined)?.reason;
    return { assignments, reason: keptReason, satisfied: keptReason === undefined, refusals };
  }
  const notRequested = [...refusals.keys()].every((family) => !requested.has(family));
  const satisfied = service.ipFamilyPolicy === "PreferDualStack" && notRequested && assignments.length > 0;
  if (!satisfied) return { assignments: currentAssignments(context), reason: refusal, satisfied, refusals };
  // An address of the family that it only prefers is kept, although it requests another one.
  const kept = service.ipFamilies.flatMap(
    (family, index) => choices[index]?.assignment ?? currentAssignment(context, family) ?? [],
  );
  return { assignments: kept, reason: refusal, satisfied, refusals };
}

/** What the Service has already and may keep: one address per family, or nodes' own addresses. */
function currentAssignments(context: AllocationContext): readonly Assignment[] {
  const nodeAddresses = hasPoolAddress(context) ? [] : keptNodeAddresses(context);
  if (nodeAddresses.length > 0) return nodeAddresses;
  return context.service.ipFamilies.flatMap((family) => currentAssignment(context, family) ?? []);
}

/**
 * Includes an address in the status without a claim: a request that cannot be met takes no address away, and an address that is shown
 * must not go to another Service.
 */
function currentAssignment(context: AllocationContext, family: IpFamily): Assignment | undefined {
  const claim = currentClaim(context, family);
  if (claim !== undefined) return assignmentOf(context.service, claim);
  return adoptShown(context, family, undefined);
}

/** Whether the Service has an address that is not a node's own. */
function hasPoolAddress(context: AllocationContext): boolean {
  return context.service.ipFamilies.some((family) => currentClaim(context, family) !== undefined);
}

function chooseAddress(
  context: AllocationContext,
  family: IpFamily,
  requested: RequestedAddress | undefined,
): AddressChoice {
  if (requested !== undefined) return chooseRequested(context, requested);
  const annotation = serviceAnnotation(context.service, "pool");
  const current = currentClaim(context, family);
  if (current !== undefined && mayStay(context, current, annotation?.text)) {
    if (!mustLeave(current, context.service)) return { assignment: assignmentOf(context.service, current) };
    const { assignment, reason } = chooseNew(context, family, current);
    return assignment === undefined ? { assignment: assignmentOf(context.service, current), reason } : { assignment };
  }
  const held = current === undefined ? heldClaim(context, family, annotation?.text) : undefined;
  if (held !== undefined) return { assignment: assignmentOf(context.service, held) };
  const adopted = current === undefined ? adoptShown(context, family, annotation?.text) : undefined;
  if (adopted !== undefined) return { assignment: adopted };
  return chooseNew(context, family);
}

/** A new address, other than the one that it is to leave. */
function chooseNew(context: AllocationContext, family: IpFamily, left?: Claim): AddressChoice {
  const annotation = serviceAnnotation(context.service, "pool");
  const shared = findShared(context, family, annotation?.text, left);
  if (shared !== undefined) return { assignment: assignmentOf(context.service, shared) };
  return annotation === undefined ? chooseFromAny(context, family) : chooseFromNamed(context, family, annotation);
}

/**
 * Only an annotation that names another pool moves an address. An address that its pool no longer contains still counts as being from
 * that pool. A reservation of the user stays in any case.
 */
function mayStay({ allocations }: AllocationContext, claim: Claim, poolName: string | undefined): boolean {
  return (
    poolName === undefined || !claim.managed || (allocations.poolOf(claim.address)?.name ?? claim.pool) === poolName
  );
}

function chooseRequested(context: AllocationContext, { address, field, text }: RequestedAddress): AddressChoice {
  const { allocations, service, namespaceLabels } = context;
  const refuse = (code: ReasonCode, detail?: string): AddressChoice => ({
    reason: reasonOf(code, { object: serviceObject(service), field, value: text, detail }),
  });
  const claim = allocations.claimAt(address);
  const pool = allocations.poolOf(address);
  const poolName = serviceAnnotation(service, "pool")?.text;
  const refuseForPool = (actual: string): AddressChoice => {
    const detail = `The address is in ${actual}, and the Service names pool ${poolName}.`;
    return refuse("RequestedAddressNotInNamedPool", detail);
  };
  const mine = claim !== undefined && isClaimOf(claim, service);
  if (mine && claim.heldUntilMs === undefined) {
    // It keeps the address, with the same refusal as on a new cluster.
    if (!mayStay(context, claim, poolName)) return refuseForPool(`pool ${pool?.name ?? claim.pool}`);
    const conflict = findSharingConflict(claim, service);
    return conflict === undefined
      ? { assignment: assignmentOf(service, claim) }
      : refuse(conflict.code, conflict.detail);
  }
  // An address that is held for its name is assigned like a new one: its pool, its nodes or other Services may have changed.
  const conflict =
    claim === undefined || mine
      ? undefined
      : findJoiningConflict(claim, service, pool?.sharedAcrossNamespaces ?? false);
  if (conflict !== undefined) return refuse(conflict.code, conflict.detail);
  const blocked = allocations.blockedBy(address, service) ?? allocations.shownElsewhere(address, service.key);
  if (blocked !== undefined) return refuse("RequestedAddressTaken", blocked);
  const adopted = adoptShown(context, address.family, poolName);
  if (adopted?.address.value === address.value) return { assignment: adopted };
  if (pool === undefined) return refuse("RequestedAddressNotInPool", describeNotInPool(allocations, address));
  if (poolName !== undefined && poolName !== pool.name) return refuseForPool(`pool ${pool.name}`);
  const notAdmitted = describeAdmissionRefusal(pool, service, namespaceLabels);
  if (notAdmitted !== undefined) return refuse("PoolForbidsService", notAdmitted);
  if (pool.draining) return refuse("PoolDraining", describeDraining([pool.name]));
  if (isAvoided(pool, address)) return refuse("RequestedAddressAvoided", `It is in pool ${pool.name}.`);
  return { assignment: claim === undefined ? newAssignment(address, pool.name) : assignmentOf(service, claim) };
}
