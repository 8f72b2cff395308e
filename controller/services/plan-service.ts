import { formatAddress, virtualIpName } from "../../src/ip/address.ts";
import { shorten } from "../../src/model/bounded-text.ts";
import { maxConditionMessage } from "../../src/model/condition.ts";
import { invalidSettings } from "../../src/model/invalid-settings.ts";
import { type Reason, reasonMessage, reasonOf, serviceObject } from "../../src/model/reason.ts";
import { type AddressReady, isOurClass, loadBalancerFinalizer, type ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { allocate } from "../allocate/allocate.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import type { Allocation, Assignment } from "../allocate/choose/allocation.ts";
import { showAddresses } from "../allocate/choose/shown-addresses.ts";
import { findConflicts, findUsedBefore } from "../allocate/choose/used-elsewhere.ts";
import { describeKept } from "../allocate/claim/assigned-condition.ts";
import { type Claim, currentPoolOf, isClaimOf } from "../allocate/claim/claim.ts";
import { parseRequest } from "../allocate/claim/request.ts";
import { findSharingConflict } from "../allocate/claim/sharing.ts";
import { describeAdmissionRefusal } from "../allocate/pool/pool.ts";
import { ingressFor, sameIngress } from "./ingress.ts";
import { planLeaving, planOtherClass } from "./plan-leaving.ts";
import { planRefused, planUnchanged } from "./plan-refused.ts";
import {
  normalEvent,
  plan,
  release,
  releaseOrHold,
  type ServiceOp,
  type ServicePlan,
  sameCondition,
  warningEvent,
} from "./service-plan.ts";
import { findSwap, nextHolder, type ServedServices, type Swap, type SwapStep, swapHoldMs } from "./swap.ts";
import { addressTexts, describeMoveCause, updateMessage } from "./update-event.ts";

export interface ServicePlanInput {
  readonly key: string;
  /** Undefined: the Service does not exist any longer. */
  readonly service: ServiceView | undefined;
  readonly allocations: AllocationsReader;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Whether Services without a class are ours. */
  readonly defaultClass: boolean;
  /** The other Services of ours. Undefined: none. */
  readonly served?: ServedServices;
  /** Another client that writes the addresses in the status, too. Undefined: none is known. */
  readonly otherManager?: string | undefined;
  /** Whether some node may announce the address. */
  readonly hasAnnouncer: (assignment: Assignment) => boolean;
}

/**
 * Plans everything that must be done for one Service now. Pure. A Service of another class is not written to. One that we served is
 * cleaned up only as far as our own records say: a VirtualIP that names it, or a condition that says what we assigned.
 */
export function planService(input: ServicePlanInput): ServicePlan {
  const { key, service, allocations, defaultClass } = input;
  const claims = allocations.claimsOf(key).filter((claim) => claim.managed || recordsSharingOf(claim, key));
  // A hold for the name stays until it expires or a Service takes it over.
  const active = claims.filter((claim) => claim.heldUntilMs === undefined);
  if (service === undefined) return plan(active.map((claim) => releaseOrHold(allocations, claim)));
  if (service.type === "LoadBalancer" && !isOurClass(service, defaultClass)) return planOtherClass(service, active);
  if (service.type !== "LoadBalancer" || service.deleting) return planLeaving(allocations, service, active);
  const stale = claims.filter((claim) => !isClaimOf(claim, service));
  if (stale.length > 0) return planStale(input, service, stale);
  return planDesired(input, service, claims);
}

/**
 * Claims of an earlier Service of this name, which no longer exists: it was restored from a backup with another uid, or created again.
 * They pass to the Service if it would be assigned their address again; it then moves if it requests another one. Others are released.
 */
function planStale(
  { allocations, namespaceLabels }: ServicePlanInput,
  service: ServiceView,
  stale: readonly Claim[],
): ServicePlan {
  const ops = stale.map((claim): ServiceOp => {
    const pool = currentPoolOf(allocations, claim);
    const admitted =
      pool === undefined || (!pool.draining && describeAdmissionRefusal(pool, service, namespaceLabels) === undefined);
    const passes =
      claim.managed &&
      claim.heldUntilMs === undefined &&
      admitted &&
      (claim.node !== undefined || allocations.blockedBy(claim.address, service) === undefined) &&
      findSharingConflict(claim, service) === undefined;
    return passes ? { kind: "JoinVirtualIp", claim } : releaseOrHold(allocations, claim);
  });
  return { ops, reason: undefined, again: true };
}

function planDesired(input: ServicePlanInput, service: ServiceView, claims: readonly Claim[]): ServicePlan {
  const { allocations, namespaceLabels, hasAnnouncer } = input;
  const { assignments, reason, satisfied, refusals, unknown } = allocate(allocations, service, namespaceLabels);
  if (unknown && reason !== undefined) return planUnchanged(service, reason);
  if (assignments.length === 0 && reason !== undefined) return planRefused(service, claims, reason);
  let swap: Swap | undefined;
  if (input.served !== undefined && reason !== undefined && refusals !== undefined && refusals.size > 0) {
    swap = findSwap(allocations, input.served, service, [...refusals.keys()]);
    const [first] = swap.steps;
    if (first !== undefined)
      return planSwap(
        allocations,
        service,
        assignments,
        swap.steps,
        refusals.get(first.claim.address.family) ?? reason,
      );
  }
  const kept = new Set(assignments.map(({ address }) => virtualIpName(address)));
  const released = claims.filter((claim) => !kept.has(claim.name) && !waitsForHold(service, claim, refusals));
  const unannounced = assignments.find((assignment) => !hasAnnouncer(assignment));
  const overwritten = input.otherManager === undefined ? undefined : statusOverwritten(service, input.otherManager);
  const refusal = satisfied ? (findUsedBefore(service, assignments) ?? overwritten) : reason;
  const { shown, reasons: ipModeReasons } = showAddresses(allocations, service, assignments);
  const remarks = [
    ...invalidSettings(service),
    ...ipModeReasons,
    ...findConflicts(allocations, service, assignments),
  ].filter(({ message }) => message !== refusal?.message);
  const condition = withRemarks(conditionFor(service, assignments, refusal, unannounced), [
    ...(satisfied && reason !== undefined ? [reason] : []),
    ...remarks,
  ]);
  const ingress = ingressFor(service, shown);
  const ingressDiffers = !sameIngress(service.ingress, ingress);
  const updated = updateMessage(service, assignments);
  const needsFinalizer = !service.finalizers.includes(loadBalancerFinalizer);
  const ops: ServiceOp[] = [];
  if (ingressDiffers && updated === undefined) ops.push(normalEvent("EnsuringLoadBalancer", "Ensuring load balancer"));
  for (const assignment of assignments) ops.push(...claimOps(assignment));
  if (ingressDiffers || needsFinalizer || !sameCondition(service.addressReady, condition)) {
    const shown = ingressDiffers ? ingress : undefined;
    const finalizer = needsFinalizer ? "add" : undefined;
    ops.push({ kind: "PatchStatus", ingress: shown, condition, finalizer });
  }
  if (updated !== undefined)
    ops.push(normalEvent("UpdatedLoadBalancer", `${updated}${describeMoveCause(allocations, service, released)}`));
  else if (ingressDiffers)
    ops.push(normalEvent("EnsuredLoadBalancer", `Ensured load balancer ${addressTexts(assignments)}`));
  // An address that another Service gave up for this one: the address that this one leaves passes on in the same way.
  const swaps = input.served !== undefined && assignments.some(({ claim }) => claim?.heldUntilMs !== undefined);
  ops.push(...released.map((claim) => (swaps ? releaseToNext(input, service, claim) : release(claim))));
  if (condition.status === "False") ops.push(warningEvent(condition));
  ops.push(...newWarnings(service, remarks));
  return { ...plan(ops, reason), wakes: swap?.firsts };
}

/**
 * Whether the address is held for the Service, which requests it and cannot have it yet: one that another Service gave up for it is shown
 * there until the watch says otherwise.
 */
function waitsForHold(
  service: ServiceView,
  { address, heldUntilMs }: Claim,
  refusals: Allocation["refusals"],
): boolean {
  if (heldUntilMs === undefined || refusals?.has(address.family) !== true) return false;
  return parseRequest(service).requested?.get(address.family)?.address.value === address.value;
}

function statusOverwritten(service: ServiceView, manager: string): Reason {
  return reasonOf("StatusOverwritten", {
    object: serviceObject(service),
    field: "status.loadBalancer.ingress",
    value: manager,
  });
}

function releaseToNext({ allocations, served }: ServicePlanInput, service: ServiceView, claim: Claim): ServiceOp {
  const next = served === undefined || !claim.managed ? undefined : nextHolder(allocations, served, service, claim);
  if (next === undefined) return release(claim);
  return { kind: "ReleaseVirtualIp", claim, holdMs: swapHoldMs, holdFor: next };
}

/** Gives up addresses for Services that have the ones which this Service requests. It has none of these until they have moved. */
function planSwap(
  allocations: AllocationsReader,
  service: ServiceView,
  assignments: readonly Assignment[],
  swap: readonly SwapStep[],
  reason: Reason,
): ServicePlan {
  const kept = assignments.filter(({ claim }) => !swap.some((step) => step.claim === claim));
  const message =
    kept.length > 0 ? `${describeKept(addressTexts(kept))} ${reasonMessage(reason)}` : reasonMessage(reason);
  const condition: AddressReady = { status: "False", reason: reason.code, message };
  const ingress = ingressFor(service, showAddresses(allocations, service, kept).shown);
  const finalizer = kept.length === 0 && service.finalizers.includes(loadBalancerFinalizer) ? "remove" : undefined;
  const others = swap.map(({ claim, next }) => `${formatAddress(claim.address)} passes to Service ${next.key}.`);
  const updated = updateMessage(service, kept);
  return plan(
    [
      { kind: "PatchStatus", ingress, condition, finalizer },
      ...swap.map(
        ({ claim, next }): ServiceOp => ({ kind: "ReleaseVirtualIp", claim, holdMs: swapHoldMs, holdFor: next }),
      ),
      ...(updated === undefined ? [] : [normalEvent("UpdatedLoadBalancer", `${updated}. ${others.join(" ")}`)]),
    ],
    reason,
  );
}

/** An event for each reason that the condition does not show yet: one that it shows was reported when it was written there. */
function newWarnings(service: ServiceView, reasons: readonly Reason[]): readonly ServiceOp[] {
  const shown = service.addressReady?.message ?? "";
  return reasons
    .filter((reason) => !shown.includes(reasonMessage(reason)))
    .map((reason) => warningEvent({ reason: reason.code, message: reasonMessage(reason) }));
}

/** Whether the claim is a reservation of the user in which we have recorded what this Service uses. */
function recordsSharingOf(claim: Claim, key: string): boolean {
  return claim.services.some((reference) => serviceKeyOf(reference) === key && reference.sharing !== undefined);
}

function claimOps({ address, pool, node, claim, needsJoin }: Assignment): readonly ServiceOp[] {
  if (claim !== undefined && needsJoin) return [{ kind: "JoinVirtualIp", claim }];
  if (claim === undefined || claim.uid === "") return [{ kind: "CreateVirtualIp", address, pool, node }];
  return [];
}

function conditionFor(
  service: ServiceView,
  assignments: readonly Assignment[],
  refusal: Reason | undefined,
  unannounced: Assignment | undefined,
): AddressReady {
  if (refusal !== undefined) {
    const message = `${describeKept(addressTexts(assignments))} ${reasonMessage(refusal)}`;
    return { status: "False", reason: refusal.code, message };
  }
  if (unannounced !== undefined) {
    const about = { object: serviceObject(service), field: "status.loadBalancer.ingress" };
    const noAnnouncer = reasonOf("NoAnnouncer", { ...about, value: formatAddress(unannounced.address) });
    return { status: "False", reason: noAnnouncer.code, message: reasonMessage(noAnnouncer) };
  }
  return { status: "True", reason: "AddressAssigned", message: addressTexts(assignments) };
}

/** The condition with reasons that prevent no address at the end of its message. */
function withRemarks(condition: AddressReady, remarks: readonly Reason[]): AddressReady {
  const join = condition.status === "True" && remarks.length > 0 ? "." : "";
  const message = [`${condition.message}${join}`, ...remarks.map(reasonMessage)].join(" ");
  return { ...condition, message: shorten(message, maxConditionMessage) };
}
