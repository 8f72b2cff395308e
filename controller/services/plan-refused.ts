import { parseAddress } from "../../src/ip/address.ts";
import { type Reason, reasonMessage } from "../../src/model/reason.ts";
import { type AddressReady, loadBalancerFinalizer, type ServiceView } from "../../src/model/service.ts";
import { describeKept, isAssignedByBellhop } from "../allocate/claim/assigned-condition.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { serviceAnnotation } from "../allocate/claim/service-annotations.ts";
import {
  isAssignedText,
  isServed,
  normalEvent,
  plan,
  release,
  type ServiceOp,
  type ServicePlan,
  sameCondition,
  warningEvent,
} from "./service-plan.ts";
import { updateMessage } from "./update-event.ts";

/**
 * No address can be assigned: says why, and removes the addresses that we showed, with the finalizer. Where another controller serves
 * the Service, its status and its finalizer stay as they are.
 */
export function planRefused(service: ServiceView, claims: readonly Claim[], reason: Reason): ServicePlan {
  const condition: AddressReady = { status: "False", reason: reason.code, message: reasonMessage(reason) };
  // A hold outlasts a mistake in the request.
  const active = claims.filter((claim) => claim.heldUntilMs === undefined);
  if (!isServed(service, active)) {
    const reports = service.ingress.length === 0 || service.addressReady !== undefined;
    const patch: readonly ServiceOp[] =
      reports && !sameCondition(service.addressReady, condition)
        ? [{ kind: "PatchStatus", ingress: undefined, condition, finalizer: undefined }]
        : [];
    return plan([...patch, ...(reports || requestsAnything(service) ? [warningEvent(condition)] : [])], reason);
  }
  // Others may write the status, too: what they assigned is theirs.
  const theirs = service.ingress.filter(({ ip }) => !isAssignedText(service, active, ip));
  const clears = theirs.length < service.ingress.length;
  const finalizer = service.finalizers.includes(loadBalancerFinalizer) ? "remove" : undefined;
  const ingress = clears ? theirs : undefined;
  const shown = theirs.flatMap(({ ip }) => parseAddress(ip) ?? []).map((address) => ({ address }));
  const message = clears ? updateMessage(service, shown) : undefined;
  const updated = message === undefined ? [] : [normalEvent("UpdatedLoadBalancer", message)];
  const patch: ServiceOp = { kind: "PatchStatus", ingress, condition, finalizer };
  return plan([patch, ...active.map(release), ...updated, warningEvent(condition)], reason);
}

/** Says why nothing can be done for the Service now. What it has and shows stays as it is. */
export function planUnchanged(service: ServiceView, reason: Reason): ServicePlan {
  const kept = isAssignedByBellhop(service) ? `${describeKept(service.ingress.map(({ ip }) => ip).join(", "))} ` : "";
  const condition: AddressReady = { status: "False", reason: reason.code, message: `${kept}${reasonMessage(reason)}` };
  const reports = service.ingress.length === 0 || service.addressReady !== undefined;
  const patch: readonly ServiceOp[] =
    reports && !sameCondition(service.addressReady, condition)
      ? [{ kind: "PatchStatus", ingress: undefined, condition, finalizer: undefined }]
      : [];
  return plan([...patch, warningEvent(condition)], reason);
}

/** Whether the Service requests something of us. */
function requestsAnything(service: ServiceView): boolean {
  const annotated = (["ips", "pool", "share"] as const).some((name) => serviceAnnotation(service, name) !== undefined);
  return annotated || service.loadBalancerClass !== undefined || service.loadBalancerIP !== undefined;
}
