import { reassignAnnotation } from "../../../src/api/labels.ts";
import { maxReassignedLength } from "../../../src/api/virtual-ip.ts";
import { shortenDistinctly } from "../../../src/model/bounded-text.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import type { Claim } from "./claim.ts";

/** The text of the annotation that requests another address; a long one shortened, but still distinct. Undefined: it is not set. */
export function reassignOf(service: ServiceView): string | undefined {
  const text = service.annotations[reassignAnnotation] ?? "";
  return text.trim() === "" ? undefined : shortenDistinctly(text, maxReassignedLength);
}

/**
 * Whether the Service must leave this address: it requests that, or another device on the LAN had the address before. Each claim records for
 * which text it was assigned, so that a text is applied once, whichever controller leads. A reservation of the user never has to be left.
 */
export function mustLeave(claim: Claim, service: ServiceView): boolean {
  if (claim.usedBefore === true) return true;
  const annotation = reassignOf(service);
  if (annotation === undefined || !claim.managed) return false;
  const reference = claim.services.find((candidate) => serviceKeyOf(candidate) === service.key);
  return reference !== undefined && reference.reassigned !== annotation;
}
