import { forwardingSetting } from "./forwarding.ts";
import { ipModeSetting } from "./ip-mode.ts";
import { annotationField, type Reason, reasonOf, serviceObject } from "./reason.ts";
import type { ServiceView } from "./service.ts";
import { requestedValue } from "./service-setting.ts";
import { readSourceRanges } from "./source-ranges.ts";

/** With the reason for a value that does not exist. */
const settings = [
  [forwardingSetting, "ForwardingInvalid"],
  [ipModeSetting, "IpModeInvalid"],
] as const;

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
  for (const [setting, code] of settings) {
    if (requestedValue(service, setting) !== "invalid") continue;
    const value = service.annotations[setting.annotation] ?? "";
    reasons.push(reasonOf(code, { object, field: annotationField(setting.annotation), value }));
  }
  if (service.unknownAnnotations.length > 0) {
    const value = service.unknownAnnotations.join(", ");
    reasons.push(reasonOf("AnnotationUnknown", { object, field: "metadata.annotations", value }));
  }
  return reasons;
}
