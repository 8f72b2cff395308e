import { compareAddresses, type IpAddress, type IpFamily } from "../../src/ip/address.ts";
import { type Reason, type ReasonCode, reasonOf, serviceObject } from "../../src/model/reason.ts";
import type { ServiceView } from "../../src/model/service.ts";
import type { AllocationsReader } from "./allocations/address-allocations.ts";
import {
  describeDraining,
  describeExhausted,
  describeNotInPool,
  joinDetails,
  listRejectedPools,
} from "./allocations/describe-pools.ts";
import type { Allocation, Assignment } from "./choose/allocation.ts";
import {
  type AllocationContext,
  evaluateAutoAssign,
  evaluateNamedPool,
  type PoolRefusal,
} from "./choose/evaluate-pool.ts";
import { findNodePool } from "./choose/find-node-pool.ts";
import { allocateNodeAddresses, keptNodeAddresses } from "./choose/node-allocation.ts";
import { findShared } from "./choose/shared-address.ts";
import { findAdoptable, isAssignedByBellhop, shownAddress } from "./choose/shown-address.ts";
import { type Claim, isClaimOf } from "./claim/claim.ts";
import { mustLeave } from "./claim/reassign.ts";
import { parseRequest, type RequestedAddress } from "./claim/request.ts";
import { serviceAnnotation } from "./claim/service-annotations.ts";
import { findJoiningConflict, findSharingConflict, needsJoin } from "./claim/sharing.ts";
import { describeAdmissionRefusal } from "./pool/pool.ts";

type Context = AllocationContext;

/** With both, the Service keeps what it has, although it requests to leave it. */
type Choice =
  | { readonly assignment: Assignment; readonly reason?: Reason }
  | { readonly assignment?: never; readonly reason: Reason };

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
  const context: Context = { allocations, service, namespaceLabels };
  const { requested, reason } = parseRequest(service);
  if (requested === undefined) return { assignments: currentAssignments(context), reason, satisfied: false };
  const nodePool = findNodePool(context, requested);
  if (nodePool !== undefined) return allocateNodeAddresses(context, nodePool, requested);
  const requestsNothing = serviceAnnotation(service, "pool") === undefined && requested.size === 0;
  const nodeAddresses = requestsNothing && !hasPoolAddress(context) ? keptNodeAddresses(context) : [];
  // Their pool is gone or rejected, which takes no address away.
  if (nodeAddresses.length > 0) return { assignments: nodeAddresses, reason: undefined, satisfied: true };
  const choices = service.ipFamilies.map((family) => chooseAddress(context, family, requested.get(family)));
  const refused = service.ipFamilies.filter((_, index) => choices[index]?.assignment === undefined);
  const refusal = choices.find((choice) => choice.assignment === undefined)?.reason;
  const assignments = choices.flatMap((choice) => choice.assignment ?? []);
  if (refusal === undefined) {
    const keptReason = choices.find((choice) => choice.reason !== undefined)?.reason;
    return { assignments, reason: keptReason, satisfied: keptReason === undefined };
  }
  const notRequested = refused.every((family) => !requested.has(family));
  const satisfied = service.ipFamilyPolicy === "PreferDualStack" && notRequested && assignments.length > 0;
  if (!satisfied) return { assignments: currentAssignments(context), reason: refusal, satisfied };
  // An address of the family that it only prefers is kept, although it requests another one.
  const kept = service.ipFamilies.flatMap(
    (family, index) => choices[index]?.assignment ?? currentAssignment(context, family) ?? [],
  );
  return { assignments: kept, reason: refusal, satisfied };
}

/** What the Service has already and may keep: one address per family, or nodes' own addresses. */
function currentAssignments(context: Context): readonly Assignment[] {
  const nodeAddresses = hasPoolAddress(context) ? [] : keptNodeAddresses(context);
  if (nodeAddresses.length > 0) return nodeAddresses;
  return context.service.ipFamilies.flatMap((family) => currentAssignment(context, family) ?? []);
}

/** Includes an address that we assigned and whose claim is lost: an annotation that cannot be met takes no address away. */
function currentAssignment(context: Context, family: IpFamily): Assignment | undefined {
  const claim = currentClaim(context, family);
  if (claim !== undefined) return assignmentOf(context, claim);
  return isAssignedByBellhop(context.service) ? adoptShown(context, family, undefined) : undefined;
}

/** Whether the Service has an address that is not a node's own. */
function hasPoolAddress(context: Context): boolean {
  return context.service.ipFamilies.some((family) => currentClaim(context, family) !== undefined);
}

function assignmentOf({ service }: Context, claim: Claim): Assignment {
  return { address: claim.address, pool: claim.pool, claim, needsJoin: needsJoin(claim, service) };
}

function newAssignment(address: IpAddress, pool: string | undefined): Assignment {
  return { address, pool, claim: undefined, needsJoin: false };
}

/** Of the claims that it may keep beside those who share them, and need not leave: the one that the status shows, else the lowest. */
function currentClaim({ allocations, service }: Context, family: IpFamily): Claim | undefined {
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

function chooseAddress(context: Context, family: IpFamily, requested: RequestedAddress | undefined): Choice {
  if (requested !== undefined) return chooseRequested(context, requested);
  const annotation = serviceAnnotation(context.service, "pool");
  const current = currentClaim(context, family);
  if (current !== undefined && mayStay(context, current, annotation?.text)) {
    if (!mustLeave(current, context.service)) return { assignment: assignmentOf(context, current) };
    const { assignment, reason } = chooseNew(context, family, current);
    return assignment === undefined ? { assignment: assignmentOf(context, current), reason } : { assignment };
  }
  const held = current === undefined ? heldClaim(context, family, annotation?.text) : undefined;
  if (held !== undefined) return { assignment: assignmentOf(context, held) };
  const adopted = current === undefined ? adoptShown(context, family, annotation?.text) : undefined;
  if (adopted !== undefined) return { assignment: adopted };
  return chooseNew(context, family);
}

/** A new address, other than the one that it is to leave. */
function chooseNew(context: Context, family: IpFamily, left?: Claim): Choice {
  const annotation = serviceAnnotation(context.service, "pool");
  const shared = findShared(context, family, annotation?.text, left);
  if (shared !== undefined) return { assignment: assignmentOf(context, shared) };
  return annotation === undefined ? chooseFromAny(context, family) : chooseFromNamed(context, family, annotation);
}

/**
 * Only an annotation that names another pool moves an address. An address that its pool no longer contains still counts as being from
 * that pool. A reservation of the user stays in any case.
 */
function mayStay({ allocations }: Context, claim: Claim, poolName: string | undefined): boolean {
  return (
    poolName === undefined || !claim.managed || (allocations.poolOf(claim.address)?.name ?? claim.pool) === poolName
  );
}

/** An address held since a Service of this name was deleted, from a pool that would assign it again. */
function heldClaim({ allocations, service, namespaceLabels }: Context, family: IpFamily, poolName: string | undefined) {
  return allocations.claimsOf(service.key).find((claim) => {
    const pool = allocations.poolOf(claim.address);
    return (
      claim.heldUntilMs !== undefined &&
      claim.address.family === family &&
      pool !== undefined &&
      !pool.draining &&
      (poolName === undefined || pool.name === poolName) &&
      describeAdmissionRefusal(pool, service, namespaceLabels) === undefined &&
      allocations.blockedBy(claim.address) === undefined
    );
  });
}

function adoptShown(context: Context, family: IpFamily, poolName: string | undefined): Assignment | undefined {
  const found = findAdoptable(context, family, poolName);
  if (found === undefined) return undefined;
  const { address, pool, claim } = found;
  return claim === undefined ? newAssignment(address, pool) : assignmentOf(context, claim);
}

function chooseRequested(context: Context, { address, field, text }: RequestedAddress): Choice {
  const { allocations, service, namespaceLabels } = context;
  const refuse = (code: ReasonCode, detail?: string): Choice => ({
    reason: reasonOf(code, about(service, field, text, detail)),
  });
  const claim = allocations.claimAt(address);
  const pool = allocations.poolOf(address);
  if (claim !== undefined && isClaimOf(claim, service)) {
    const conflict = findSharingConflict(claim, service);
    return conflict === undefined
      ? { assignment: assignmentOf(context, claim) }
      : refuse(conflict.code, conflict.detail);
  }
  const conflict =
    claim === undefined ? undefined : findJoiningConflict(claim, service, pool?.sharedAcrossNamespaces ?? false);
  if (conflict !== undefined) return refuse(conflict.code, conflict.detail);
  const blocked = allocations.blockedBy(address);
  if (blocked !== undefined) return refuse("RequestedAddressTaken", blocked);
  const poolName = serviceAnnotation(service, "pool")?.text;
  const adopted = adoptShown(context, address.family, poolName);
  if (adopted?.address.value === address.value) return { assignment: adopted };
  if (pool === undefined) return refuse("RequestedAddressNotInPool", describeNotInPool(allocations, address));
  if (poolName !== undefined && poolName !== pool.name) {
    const detail = `The address is in pool ${pool.name}, and the Service names pool ${poolName}.`;
    return refuse("RequestedAddressNotInNamedPool", detail);
  }
  const notAdmitted = describeAdmissionRefusal(pool, service, namespaceLabels);
  if (notAdmitted !== undefined) return refuse("PoolForbidsService", notAdmitted);
  if (pool.draining) return refuse("PoolDraining", describeDraining([pool.name]));
  return { assignment: claim === undefined ? newAssignment(address, pool.name) : assignmentOf(context, claim) };
}

function chooseFromNamed(
  context: Context,
  family: IpFamily,
  { field, text: poolName }: { readonly field: string; readonly text: string },
): Choice {
  const { pool, address, code, detail } = evaluateNamedPool(context, poolName, family);
  if (address !== undefined) return { assignment: newAssignment(address, pool) };
  return { reason: reasonOf(code, about(context.service, field, poolName, detail)) };
}

function chooseFromAny(context: Context, family: IpFamily): Choice {
  const { allocations, service } = context;
  const refuse = (code: ReasonCode, detail?: string): Choice => ({
    reason: reasonOf(code, about(service, "spec.ipFamilies", family, detail)),
  });
  if (allocations.pools.length === 0) return refuse("NoPool", listRejectedPools(allocations));
  const refusals: PoolRefusal[] = [];
  for (const pool of allocations.pools) {
    const result = evaluateAutoAssign(context, pool, family);
    if (result.address === undefined) refusals.push(result);
    else if (pool.nodes === undefined) return { assignment: newAssignment(result.address, pool.name) };
    else {
      const detail = `Pool ${pool.name} assigns node addresses, and only to Services without other addresses.`;
      refusals.push({ pool: pool.name, code: "NoPoolForService", detail });
    }
  }
  const full = refusals.filter(({ code }) => code === "PoolExhausted");
  const draining = refusals.filter(({ code }) => code === "PoolDraining");
  if (full.length === 0 && draining.length > 0) {
    return refuse("PoolDraining", describeDraining(draining.map(({ pool }) => pool)));
  }
  if (full.length === 0) {
    return refuse("NoPoolForService", joinDetails(refusals.flatMap(({ detail }) => detail ?? [])));
  }
  return refuse(
    "PoolExhausted",
    describeExhausted(
      full.map(({ pool }) => pool),
      family,
    ),
  );
}

function about(service: ServiceView, field: string, value: string, detail: string | undefined) {
  return { object: serviceObject(service), field, value, detail };
}
