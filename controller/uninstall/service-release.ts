import { loadBalancerClass } from "../../src/api/api.ts";
import { addressReadyCondition } from "../../src/api/labels.ts";
import { parseAddress, virtualIpName } from "../../src/ip/address.ts";
import {
  type AddressReady,
  type IngressEntry,
  loadBalancerFinalizer,
  type ServiceView,
} from "../../src/model/service.ts";
import { isAssignedByBellhop, namesAssigned } from "../allocate/claim/assigned-condition.ts";
import { type Claim, provesAssignment } from "../allocate/claim/claim.ts";

/** What becomes of the addresses in the status of Services: `keep` leaves them for a load balancer that serves the Services next. */
export type ReleasedAddresses = "remove" | "keep";

/** What is removed from one Service so that it can live, and be deleted, without Bellhop. */
export interface ServiceRelease {
  readonly service: ServiceView;
  /** Addresses that are removed from its status. */
  readonly addresses: readonly string[];
  /** What its status shows afterwards: what others have written. Undefined: no address is removed. */
  readonly ingress: readonly IngressEntry[] | undefined;
  readonly removeFinalizer: boolean;
  readonly removeCondition: boolean;
}

/**
 * What is ours on a Service, by the marks that Bellhop leaves; undefined: nothing. Pure. Decides by the rules of the controller. The
 * finalizer is that of Kubernetes, and cloud controllers and ServiceLB set it too, so its name alone proves nothing. Proof of an address is
 * a claim (`provesAssignment`), or our condition, where it names the address as assigned. Proof of the finalizer is an address that is
 * ours, a claim, our class, or a condition that says that we assigned addresses: a refusal of ours has removed our finalizer. It stays while
 * an address of others is shown, unless the API server has recorded that we added it: the other controller may use none.
 *
 * `claims`: those that name the Service; empty too when VirtualIPs cannot be read, because their kind is gone.
 */
export function releaseService(
  service: ServiceView,
  claims: readonly Claim[],
  addresses: ReleasedAddresses = "remove",
): ServiceRelease | undefined {
  const proving = claims.filter((claim) => provesAssignment(claim, service));
  const claimed = new Set(proving.map(({ name }) => name));
  const former = addressesKeptIn(service.addressReady);
  const ours = service.ingress.filter(({ ip }) => {
    const address = parseAddress(ip);
    if (address === undefined) return false;
    return claimed.has(virtualIpName(address)) || namesAssigned(service, address) || former.has(virtualIpName(address));
  });
  const others = service.ingress.filter((entry) => !ours.includes(entry));
  const marked =
    ours.length > 0 ||
    proving.length > 0 ||
    service.loadBalancerClass === loadBalancerClass ||
    isAssignedByBellhop(service);
  const removeFinalizer =
    service.finalizers.includes(loadBalancerFinalizer) && (service.addedFinalizer || (marked && others.length === 0));
  const removeCondition = service.addressReady !== undefined;
  const removed = addresses === "keep" ? [] : ours;
  if (removed.length === 0 && !removeFinalizer && !removeCondition) return undefined;
  return {
    service,
    addresses: removed.map(({ ip }) => ip),
    ingress: removed.length === 0 ? undefined : others,
    removeFinalizer,
    removeCondition,
  };
}

/** The strategic merge patch of the Service's status subresource that carries it out, if the Service is still the one that was seen. */
export function releasePatch({ service, ingress, removeFinalizer, removeCondition }: ServiceRelease): object {
  return {
    metadata: {
      uid: service.uid,
      resourceVersion: service.resourceVersion,
      ...(removeFinalizer ? { "$deleteFromPrimitiveList/finalizers": [loadBalancerFinalizer] } : {}),
    },
    status: {
      ...(removeCondition ? { conditions: [{ $patch: "delete", type: addressReadyCondition }] } : {}),
      ...(ingress === undefined ? {} : { loadBalancer: { ingress: ingress.length === 0 ? null : ingress } }),
    },
  };
}

/** The addresses that a refusal of an earlier build says the Service keeps. Names of their VirtualIPs. */
function addressesKeptIn(condition: AddressReady | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  const list = /\bUntil then (?:the Service|it) keeps (.*)$/s.exec(condition?.message ?? "")?.[1] ?? "";
  if (condition?.status === "True") return found;
  for (const part of list.split(/, |\. |; |\s|\.$/)) {
    const address = parseAddress(part);
    if (address === undefined) break;
    found.add(virtualIpName(address));
  }
  return found;
}
