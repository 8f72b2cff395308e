import { reassignAnnotation } from "../../../src/api/labels.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import type { Claim } from "./claim.ts";

/** Characters of the annotation that count. Enough to distinguish requests; an annotation may have 256 KiB. */
const maxLength = 200;

/** The text of the annotation that requests another address. Undefined: it is not set. */
export function reassignOf(service: ServiceView): string | undefined {
  const text = service.annotations[reassignAnnotation]?.slice(0, maxLength) ?? "";
  return text === "" ? undefined : text;
}

/**
 * Whether the Service requests to leave this address. Each claim records for which text it was assigned, so that a text is applied once,
 * whichever controller leads. A reservation of the user never has to be left.
 */
export function mustLeave(claim: Claim, service: ServiceView): boolean {
  const annotation = reassignOf(service);
  if (annotation === undefined || !claim.managed) return false;
  const reference = claim.services.find((candidate) => serviceKeyOf(candidate) === service.key);
  return reference !== undefined && reference.reassigned !== annotation;
}
