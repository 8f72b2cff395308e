import { loadBalancerClass } from "../../src/api/api.ts";
import { addressReadyCondition } from "../../src/api/labels.ts";
import { formatAddress, parseAddress } from "../../src/ip/address.ts";
import {
  type AddressReady,
  type IngressEntry,
  loadBalancerFinalizer,
  type ServiceView,
} from "../../src/model/service.ts";
import { type Claim, isClaimOf } from "../allocate/claim/claim.ts";

/** What is removed from one Service so that it can live, and be deleted, without Bellhop. */
export interface ServiceRelease {
  readonly service: ServiceView;
  /** Addresses that are removed from its status. */
  readonly addresses: readonly string[];
  /** What its status shows afterwards: what others have written. Undefined: nothing of its addresses is ours. */
  readonly ingress: readonly IngressEntry[] | undefined;
  readonly removeFinalizer: boolean;
  readonly removeCondition: boolean;
}

/**
 * What is ours on a Service, by the marks that Bellhop leaves; undefined: nothing. Pure. The finalizer is that of Kubernetes, and cloud
 * controllers and ServiceLB set it too, so its name alone proves nothing. Proof of an address is a VirtualIP at it that names the Service,
 * or our condition, where it names the address as assigned. Proof of the finalizer is an address that is ours, a VirtualIP made by the
 * controller, our class, or our condition on a Service that shows no address. It stays while an address of others is shown.
 *
 * `claims`: those that name the Service; empty too when VirtualIPs cannot be read, because their kind is gone.
 */
export function releaseService(service: ServiceView, claims: readonly Claim[]): ServiceRelease | undefined {
  const named = claims.filter((claim) => isClaimOf(claim, service));
  const claimed = new Set(named.map(({ address }) => formatAddress(address)));
  const assigned = addressesAssignedIn(service.addressReady);
  const ours = service.ingress.filter(({ ip }) => {
    const address = canonical(ip);
    return address !== undefined && (claimed.has(address) || assigned === "all" || assigned.has(address));
  });
  const others = service.ingress.filter((entry) => !ours.includes(entry));
  const marked =
    ours.length > 0 ||
    named.some(({ managed }) => managed) ||
    service.loadBalancerClass === loadBalancerClass ||
    service.addressReady !== undefined;
  const removeFinalizer = marked && others.length === 0 && service.finalizers.includes(loadBalancerFinalizer);
  const removeCondition = service.addressReady !== undefined;
  if (ours.length === 0 && !removeFinalizer && !removeCondition) return undefined;
  return {
    service,
    addresses: ours.map(({ ip }) => ip),
    ingress: ours.length === 0 ? undefined : others,
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

/**
 * The addresses that our condition says the Service was assigned (`plan-service.ts` writes it). A refusal names addresses too, but of others;
 * only what it says that the Service keeps is ours. With NoAnnouncer the whole status is ours, and the text names one address of it.
 */
function addressesAssignedIn(condition: AddressReady | undefined): ReadonlySet<string> | "all" {
  if (condition === undefined) return new Set();
  const { status, reason, message } = condition;
  if (reason === "NoAnnouncer") return "all";
  if (status === "True") return addressesAtStart(message);
  return addressesAtStart(/\bUntil then (?:the Service|it) keeps (.*)$/s.exec(message)?.[1] ?? "");
}

/** Of a list joined by commas, up to the first text that is not an address. */
function addressesAtStart(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const part of text.split(/, |\. |; |\s|\.$/)) {
    const address = canonical(part);
    if (address === undefined) break;
    found.add(address);
  }
  return found;
}

function canonical(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}
