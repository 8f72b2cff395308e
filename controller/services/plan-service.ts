import { formatAddress, type IpAddress, virtualIpName } from "../../src/ip/address.ts";
import { shorten } from "../../src/model/bounded-text.ts";
import { maxConditionMessage } from "../../src/model/condition.ts";
import { invalidSettings } from "../../src/model/invalid-settings.ts";
import { type Reason, reasonMessage, reasonOf, serviceObject } from "../../src/model/reason.ts";
import {
  type AddressReady,
  type IngressEntry,
  isOurClass,
  loadBalancerFinalizer,
  type ServiceView,
} from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { allocate } from "../allocate/allocate.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import type { Assignment } from "../allocate/choose/allocation.ts";
import { type Claim, currentPoolOf, isClaimOf } from "../allocate/claim/claim.ts";
import { ingressFor, sameIngress } from "./ingress.ts";
import { addressTexts, describeMoveCause, updateMessage } from "./update-event.ts";

/** One step for one Service, as plain data. */
export type ServiceOp =
  | { readonly kind: "Event"; readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string }
  | {
      readonly kind: "CreateVirtualIp";
      readonly address: IpAddress;
      readonly pool: string | undefined;
      /** The node whose own address it is. */
      readonly node?: string | undefined;
    }
  /** Adds the Service to an existing claim, or updates what is recorded of it there. */
  | { readonly kind: "JoinVirtualIp"; readonly claim: Claim }
  /** Removes the Service from the claim. Without another Service the claim is deleted, or held for `holdMs` for the Service's name. */
  | { readonly kind: "ReleaseVirtualIp"; readonly claim: Claim; readonly holdMs: number }
  | {
      readonly kind: "PatchStatus";
      /** Undefined: unchanged. */
      readonly ingress: readonly IngressEntry[] | undefined;
      readonly condition: AddressReady;
      /** In the same write as the addresses, so that none is shown without it. Until then the VirtualIP is the only record. */
      readonly addFinalizer: boolean;
    }
  | { readonly kind: "LeaveService"; readonly removeFinalizer: boolean; readonly clearIngress: boolean };

export interface ServicePlan {
  /** In the order in which they must be carried out. A failed one ends the work. */
  readonly ops: readonly ServiceOp[];
  /** Why the Service does not have all that it requests. It is planned again when addresses or pools change. */
  readonly reason: Reason | undefined;
  /** Whether to plan again right after the ops, which only prepare for that. */
  readonly again: boolean;
}

export interface ServicePlanInput {
  readonly key: string;
  /** Undefined: the Service does not exist any longer. */
  readonly service: ServiceView | undefined;
  readonly allocations: AllocationsReader;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Whether Services without a class are ours. */
  readonly defaultClass: boolean;
  /** Whether some node may announce the address. */
  readonly hasAnnouncer: (assignment: Assignment) => boolean;
}

/**
 * Plans everything that must be done for one Service now. Pure. A Service of another class is not written to. One that was ours is
 * cleaned up only as far as our own records say: a VirtualIP that names it, or our condition on it.
 */
export function planService(input: ServicePlanInput): ServicePlan {
  const { key, service, allocations, defaultClass } = input;
  const claims = allocations.claimsOf(key).filter((claim) => claim.managed || recordsSharingOf(claim, key));
  // A hold for the name stays until it expires or a Service takes it over.
  const active = claims.filter((claim) => claim.heldUntilMs === undefined);
  if (service === undefined) return plan(active.map((claim) => releaseOrHold(allocations, claim)));
  if (service.type === "LoadBalancer" && !isOurClass(service, defaultClass)) return planHandedOver(service, active);
  if (service.type !== "LoadBalancer" || service.deleting) return planLeaving(allocations, service, active);
  const stale = claims.filter((claim) => !isClaimOf(claim, service));
  // They belong to an earlier Service of the same name. The service controller of Kubernetes deletes the old load balancer first, too.
  if (stale.length > 0) {
    return { ops: stale.map((claim) => releaseOrHold(allocations, claim)), reason: undefined, again: true };
  }
  return planDesired(input, service, claims);
}

function plan(ops: readonly ServiceOp[], reason?: Reason): ServicePlan {
  return { ops, reason, again: false };
}

function release(claim: Claim): ServiceOp {
  return { kind: "ReleaseVirtualIp", claim, holdMs: 0 };
}

/** For a Service that is gone or leaves: releases its address, unless the pool holds it for the name. A draining pool does not. */
function releaseOrHold(allocations: AllocationsReader, claim: Claim): ServiceOp {
  const pool = claim.managed ? currentPoolOf(allocations, claim) : undefined;
  const holdMs = pool === undefined || pool.draining ? 0 : pool.holdAfterDeleteMs;
  return { kind: "ReleaseVirtualIp", claim, holdMs };
}

/**
 * The Service changed to another class before we could write to it without type LoadBalancer. Our condition or our claim says that the
 * finalizer is ours, too. Once the other class has assigned an address, the finalizer may be theirs.
 */
function planHandedOver(service: ServiceView, claims: readonly Claim[]): ServicePlan {
  const wasOurs = service.addressReady !== undefined || claims.some((claim) => isClaimOf(claim, service));
  const removeFinalizer = service.ingress.length === 0 && service.finalizers.includes(loadBalancerFinalizer);
  const marked = removeFinalizer || service.addressReady !== undefined;
  const leave: readonly ServiceOp[] =
    wasOurs && marked ? [{ kind: "LeaveService", removeFinalizer, clearIngress: false }] : [];
  return plan([...leave, ...claims.map(release)]);
}

/** The Service is being deleted, or is no longer of type LoadBalancer: the claims are released first, the finalizer goes last. */
function planLeaving(allocations: AllocationsReader, service: ServiceView, claims: readonly Claim[]): ServicePlan {
  const removeFinalizer = service.finalizers.includes(loadBalancerFinalizer);
  // The class says whose finalizer it is, but only exists as long as the type is LoadBalancer.
  const finalizerIsOurs = removeFinalizer && service.type === "LoadBalancer";
  const touched = claims.length > 0 || service.addressReady !== undefined || finalizerIsOurs;
  if (!touched) return plan([]);
  const clearIngress = service.type === "LoadBalancer" && service.ingress.length > 0;
  const leave: ServiceOp = { kind: "LeaveService", removeFinalizer, clearIngress };
  if (claims.length === 0) return plan([leave]);
  const deleting = normalEvent("DeletingLoadBalancer", `Deleting load balancer ${addressTexts(claims)}`);
  const deleted = normalEvent("DeletedLoadBalancer", `Deleted load balancer ${addressTexts(claims)}`);
  return plan([deleting, ...claims.map((claim) => releaseOrHold(allocations, claim)), leave, deleted]);
}

function planDesired(input: ServicePlanInput, service: ServiceView, claims: readonly Claim[]): ServicePlan {
  const { allocations, namespaceLabels, hasAnnouncer } = input;
  const { assignments, reason, satisfied } = allocate(allocations, service, namespaceLabels);
  if (assignments.length === 0 && reason !== undefined) return planRefused(service, claims, reason);
  const kept = new Set(assignments.map(({ address }) => virtualIpName(address)));
  const released = claims.filter((claim) => !kept.has(claim.name));
  const unannounced = assignments.find((assignment) => !hasAnnouncer(assignment));
  const invalid = invalidSettings(service);
  const condition = withRemarks(conditionFor(service, assignments, satisfied ? undefined : reason, unannounced), [
    ...(satisfied && reason !== undefined ? [reason] : []),
    ...invalid,
  ]);
  const ingress = ingressFor(
    service,
    assignments.map(({ address }) => address),
  );
  const ingressDiffers = !sameIngress(service.ingress, ingress);
  const updated = updateMessage(service, assignments);
  const needsFinalizer = !service.finalizers.includes(loadBalancerFinalizer);
  const ops: ServiceOp[] = [];
  if (ingressDiffers && updated === undefined) ops.push(normalEvent("EnsuringLoadBalancer", "Ensuring load balancer"));
  for (const assignment of assignments) ops.push(...claimOps(assignment));
  if (ingressDiffers || needsFinalizer || !sameCondition(service.addressReady, condition)) {
    const shown = ingressDiffers ? ingress : undefined;
    ops.push({ kind: "PatchStatus", ingress: shown, condition, addFinalizer: needsFinalizer });
  }
  if (updated !== undefined)
    ops.push(normalEvent("UpdatedLoadBalancer", `${updated}${describeMoveCause(allocations, service, released)}`));
  else if (ingressDiffers)
    ops.push(normalEvent("EnsuredLoadBalancer", `Ensured load balancer ${addressTexts(assignments)}`));
  ops.push(...released.map(release));
  if (condition.status === "False") ops.push(warningEvent(condition));
  ops.push(...newWarnings(service, invalid));
  return plan(ops, reason);
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

/** No address can be assigned: say why, and remove the addresses that we showed. */
function planRefused(service: ServiceView, claims: readonly Claim[], reason: Reason): ServicePlan {
  const condition: AddressReady = { status: "False", reason: reason.code, message: reasonMessage(reason) };
  // Without our finalizer the addresses were written by another controller, which may still serve them.
  const clear = service.ingress.length > 0 && service.finalizers.includes(loadBalancerFinalizer);
  const ops: ServiceOp[] = [];
  if (clear || !sameCondition(service.addressReady, condition)) {
    ops.push({ kind: "PatchStatus", ingress: clear ? [] : undefined, condition, addFinalizer: false });
  }
  const message = clear ? updateMessage(service, []) : undefined;
  // A hold outlasts a mistake in the request.
  const active = claims.filter((claim) => claim.heldUntilMs === undefined);
  const updated = message === undefined ? [] : [normalEvent("UpdatedLoadBalancer", message)];
  return plan([...ops, ...active.map(release), ...updated, warningEvent(condition)], reason);
}

function conditionFor(
  service: ServiceView,
  assignments: readonly Assignment[],
  refusal: Reason | undefined,
  unannounced: Assignment | undefined,
): AddressReady {
  if (refusal !== undefined) {
    const message = `${reasonMessage(refusal)} Until then the Service keeps ${addressTexts(assignments)}.`;
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

function sameCondition(left: AddressReady | undefined, right: AddressReady): boolean {
  return left?.status === right.status && left.reason === right.reason && left.message === right.message;
}

function normalEvent(reason: string, message: string): ServiceOp {
  return { kind: "Event", type: "Normal", reason, message };
}

function warningEvent({ reason, message }: Pick<AddressReady, "reason" | "message">): ServiceOp {
  return { kind: "Event", type: "Warning", reason, message };
}
