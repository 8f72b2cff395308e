import { formatAddress, type IpAddress, parseAddress, virtualIpName } from "../../src/ip/address.ts";
import { type Reason, reasonMessage, reasonOf, serviceObject } from "../../src/model/reason.ts";
import type { AddressReady, IngressEntry, ServiceView } from "../../src/model/service.ts";
import type { ServiceName } from "../../src/model/service-reference.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import { isAssignedByBellhop, namesAssigned } from "../allocate/claim/assigned-condition.ts";
import { type Claim, currentPoolOf, provesAssignment } from "../allocate/claim/claim.ts";

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
  /**
   * Removes the Service from the claim. Without another Service the claim is deleted, or kept for `holdMs`: for the Service's name, or
   * quarantined.
   */
  | {
      readonly kind: "ReleaseVirtualIp";
      readonly claim: Claim;
      readonly holdMs: number;
      /** The Service whose name the address is held for. Undefined: this Service's. */
      readonly holdFor?: ServiceName | "quarantine" | undefined;
    }
  | {
      readonly kind: "PatchStatus";
      /** Undefined: unchanged. */
      readonly ingress: readonly IngressEntry[] | undefined;
      readonly condition: AddressReady;
      /**
       * In the same write as the addresses, so that none is shown without it. Until then the VirtualIP is the only record. Undefined:
       * unchanged.
       */
      readonly finalizer: "add" | "remove" | undefined;
    }
  | { readonly kind: "LeaveService"; readonly removeFinalizer: boolean; readonly clearIngress: boolean };

export interface ServicePlan {
  /** In the order in which they must be carried out. A failed one ends the work. */
  readonly ops: readonly ServiceOp[];
  /** Why the Service does not have all that it requests. It is planned again when addresses or pools change. */
  readonly reason: Reason | undefined;
  /** Whether to plan again right after the ops, which only prepare for that. */
  readonly again: boolean;
  /** Keys of other Services that must be planned now, because this one waits for them. */
  readonly wakes?: readonly string[] | undefined;
}

export function plan(ops: readonly ServiceOp[], reason?: Reason): ServicePlan {
  return { ops, reason, again: false };
}

/** How long pools do not assign an address that another device had. It is probed again for the next Service that gets it. */
export const quarantineMs = 10 * 60_000;

/** Releases an address. One that another device on the LAN had is quarantined, so that no Service is assigned it again at once. */
export function release(claim: Claim): ServiceOp {
  return claim.usedBefore === true
    ? { kind: "ReleaseVirtualIp", claim, holdMs: quarantineMs, holdFor: "quarantine" }
    : { kind: "ReleaseVirtualIp", claim, holdMs: 0 };
}

/**
 * For a Service that is gone or leaves: releases its address, unless the pool holds it for the name. A draining pool does not, nor does any
 * pool for a namespace for which many addresses are held already.
 */
export function releaseOrHold(allocations: AllocationsReader, claim: Claim): ServiceOp {
  const holdMs = isHoldRefused(allocations, claim) ? 0 : requestedHoldMs(allocations, claim);
  return holdMs === 0 ? release(claim) : { kind: "ReleaseVirtualIp", claim, holdMs };
}

function requestedHoldMs(allocations: AllocationsReader, claim: Claim): number {
  const pool = claim.managed ? currentPoolOf(allocations, claim) : undefined;
  return pool === undefined || pool.draining ? 0 : pool.holdAfterDeleteMs;
}

/** Whether the pool would hold the address of the Service, and its namespace has too many already. */
function isHoldRefused(allocations: AllocationsReader, claim: Claim): boolean {
  const [first] = claim.services;
  return first !== undefined && requestedHoldMs(allocations, claim) > 0 && !allocations.mayHold(first.namespace);
}

/** The event that says that an address is not held. */
export function holdRefusals(
  allocations: AllocationsReader,
  service: ServiceView,
  claims: readonly Claim[],
): readonly ServiceOp[] {
  const refused = claims.find((claim) => claim.services.length === 1 && isHoldRefused(allocations, claim));
  if (refused === undefined) return [];
  const about = { object: serviceObject(service), field: "status.loadBalancer", value: formatAddress(refused.address) };
  const reason = reasonOf("HoldLimitReached", about);
  return [warningEvent({ reason: reason.code, message: reasonMessage(reason) })];
}

/** Whether we serve the Service: a claim names it, or its condition and its finalizer say that we assigned what it shows. */
export function isServed(service: ServiceView, claims: readonly Claim[]): boolean {
  return claims.some((claim) => provesAssignment(claim, service)) || isAssignedByBellhop(service);
}

/** Whether we assigned the address that the status shows as this text. */
export function isAssignedText(service: ServiceView, claims: readonly Claim[], text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  return claims.some(({ name }) => name === virtualIpName(address)) || namesAssigned(service, address);
}

export function sameCondition(left: AddressReady | undefined, right: AddressReady): boolean {
  return left?.status === right.status && left.reason === right.reason && left.message === right.message;
}

export function normalEvent(reason: string, message: string): ServiceOp {
  return { kind: "Event", type: "Normal", reason, message };
}

export function warningEvent({ reason, message }: Pick<AddressReady, "reason" | "message">): ServiceOp {
  return { kind: "Event", type: "Warning", reason, message };
}
