import { forwardingAnnotation, ipModeAnnotation } from "../api/labels.ts";
import { requestedForwarding } from "./forwarding.ts";
import { requestedIpMode } from "./ip-mode.ts";
import { annotationField, type Reason, reasonOf, serviceObject } from "./reason.ts";
import type { ServiceView } from "./service.ts";
import { readSourceRanges } from "./source-ranges.ts";

/**
 * The settings of a Service that cannot be read, at most one reason for each code. Pure. None of them prevents an address: the Service
 * is served, with the setting applied as the reason says. The controller reports them to the user, the speaker logs them.
 */
export function invalidSettings(service: ServiceView): readonly Reason[] {
  const object = serviceObject(service);
  const reasons: Reason[] = [];
  const { invalid } = readSourceRanges(service.sourceRanges);
  if (invalid.length > 0) {
    reasons.push(
      reasonOf("SourceRangeInvalid", { object, field: service.sourceRangesField, value: invalid.join(", ") }),
    );
  }
  if (requestedForwarding(service) === "invalid") {
    const value = service.annotations[forwardingAnnotation] ?? "";
    reasons.push(reasonOf("ForwardingInvalid", { object, field: annotationField(forwardingAnnotation), value }));
  }
  if (requestedIpMode(service) === "invalid") {
    const value = service.annotations[ipModeAnnotation] ?? "";
    reasons.push(reasonOf("IpModeInvalid", { object, field: annotationField(ipModeAnnotation), value }));
  }
  if (service.unknownAnnotations.length > 0) {
    const value = service.unknownAnnotations.join(", ");
    reasons.push(reasonOf("AnnotationUnknown", { object, field: "metadata.annotations", value }));
  }
  return reasons;
}
