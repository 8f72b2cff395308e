import { reassignAnnotation } from "../../../src/api/labels.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import type { Claim } from "./claim.ts";

/** Long enough to tell desired apart; an annotation may have 256 KiB. */
const maxLength = 200;

/** The annotation for another address; undefined: there is none. */
export function reassignOf(service: ServiceView): string | undefined {
  const text = service.annotations[reassignAnnotation]?.slice(0, maxLength) ?? "";
  return text === "" ? undefined : text;
}

/**
 * Whether the Service asks to leave this address. Each address says for which text it was given, so that a annotation is acted on once,
 * whoever leads and however often it is read; a reservation of the user never has to be left.
 */
export function mustLeave(claim: Claim, service: ServiceView): boolean {
  const annotation = reassignOf(service);
  if (annotation === undefined || !claim.managed) return false;
  const reference = claim.services.find((candidate) => serviceKeyOf(candidate) === service.key);
  return reference !== undefined && reference.reassigned !== annotation;
}
