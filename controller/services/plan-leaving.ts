import { loadBalancerClass } from "../../src/api/api.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { reasonMessage, reasonOf, serviceObject } from "../../src/model/reason.ts";
import { loadBalancerFinalizer, type ServiceView } from "../../src/model/service.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { ingressFor, sameIngress } from "./ingress.ts";
import {
  holdRefusals,
  isAssignedText,
  isServed,
  normalEvent,
  plan,
  release,
  releaseOrHold,
  type ServiceOp,
  type ServicePlan,
  warningEvent,
} from "./service-plan.ts";
import { addressTexts, updateMessage } from "./update-event.ts";

/**
 * The Service changed to another class before we could write to it without type LoadBalancer. If we served it, the finalizer is ours,
 * too. Once the other class has assigned an address, it may rely on the finalizer, even if we added it. But it may be one that uses no
 * finalizer, so the one that we added goes at the latest when the Service is deleted.
 */
function planHandedOver(service: ServiceView, claims: readonly Claim[]): ServicePlan {
  const left = service.ingress.length === 0 && isServed(service, claims);
  const removeFinalizer =
    service.finalizers.includes(loadBalancerFinalizer) && (left || (service.deleting && service.addedFinalizer));
  const marked = removeFinalizer || service.addressReady !== undefined;
  const leave: readonly ServiceOp[] = marked ? [{ kind: "LeaveService", removeFinalizer, clearIngress: false }] : [];
  return plan([...leave, ...claims.map(release)]);
}

/**
 * For a Service that we served under other settings of the controller, and no longer do because of its class. What shows our addresses
 * alone is released. Once another controller has written the status, it may use the finalizer, too. Where a class is set, the other
 * controller may have assigned the same address, so the addresses must be in the very form in which we write them.
 */
export function planOtherClass(service: ServiceView, claims: readonly Claim[]): ServicePlan {
  const { loadBalancerClass: name, ingress } = service;
  const shown = ingress.flatMap(({ ip, ipMode }) => {
    const address = parseAddress(ip);
    return address === undefined ? [] : [{ address, ipMode }];
  });
  const written = name === undefined || (shown.length > 0 && sameIngress(ingress, ingressFor(service, shown)));
  const ours = written && ingress.every(({ ip }) => isAssignedText(service, claims, ip));
  if (!isServed(service, claims) || !ours) return planHandedOver(service, claims);
  const removeFinalizer = service.finalizers.includes(loadBalancerFinalizer);
  const leave: ServiceOp = { kind: "LeaveService", removeFinalizer, clearIngress: ingress.length > 0 };
  const about = { object: serviceObject(service), field: "spec.loadBalancerClass", value: name ?? "" };
  const reason = reasonOf(name === undefined ? "NoDefaultClass" : "ForeignClass", about);
  const updated = updateMessage(service, []);
  return plan([
    leave,
    ...claims.map(release),
    ...(updated === undefined ? [] : [normalEvent("UpdatedLoadBalancer", updated)]),
    warningEvent({ reason: reason.code, message: reasonMessage(reason) }),
  ]);
}

/** The Service is being deleted, or is no longer of type LoadBalancer: the claims are released first, the finalizer goes last. */
export function planLeaving(
  allocations: AllocationsReader,
  service: ServiceView,
  claims: readonly Claim[],
): ServicePlan {
  const served = isServed(service, claims);
  // Other controllers write the same finalizer, but none serves our class. Earlier builds left it on Services that they refused.
  const ours = served || service.loadBalancerClass === loadBalancerClass || service.addedFinalizer;
  const removeFinalizer = ours && service.finalizers.includes(loadBalancerFinalizer);
  const leavesCondition = service.addressReady !== undefined && !service.deleting;
  if (claims.length === 0 && !removeFinalizer && !leavesCondition) return plan([]);
  const clearIngress = served && service.type === "LoadBalancer" && service.ingress.length > 0;
  const leave: ServiceOp = { kind: "LeaveService", removeFinalizer, clearIngress };
  if (claims.length === 0) return plan([leave]);
  const deleting = normalEvent("DeletingLoadBalancer", `Deleting load balancer ${addressTexts(claims)}`);
  const deleted = normalEvent("DeletedLoadBalancer", `Deleted load balancer ${addressTexts(claims)}`);
  const refusals = holdRefusals(allocations, service, claims);
  return plan([deleting, ...refusals, ...claims.map((claim) => releaseOrHold(allocations, claim)), leave, deleted]);
}
