import type { ServiceView } from "./service.ts";

/** A setting of Services that has a few values: an annotation sets it, and otherwise the pool of the address does. */
export interface ServiceSetting<Value extends string> {
  readonly annotation: string;
  readonly values: readonly Value[];
}

export interface SettingDecision<Value extends string> {
  /** Undefined: nothing sets it. */
  readonly value: Value | undefined;
  /** Whether the annotation sets it, and not the pool. */
  readonly own: boolean;
}

/** What the annotation requests: undefined where there is none, "invalid" where it is not one of the values. */
export function requestedValue<Value extends string>(
  { annotations }: Pick<ServiceView, "annotations">,
  { annotation, values }: ServiceSetting<Value>,
): Value | "invalid" | undefined {
  const text = annotations[annotation]?.trim() ?? "";
  return text === "" ? undefined : (values.find((value) => value === text) ?? "invalid");
}

/** The value for an address: the annotation takes precedence over the pool, and an invalid one is treated as not set. Pure. */
export function decideSetting<Value extends string>(
  service: Pick<ServiceView, "annotations">,
  setting: ServiceSetting<Value>,
  ofPool: Value | undefined,
): SettingDecision<Value> {
  const requested = requestedValue(service, setting);
  return requested === undefined || requested === "invalid"
    ? { value: ofPool, own: false }
    : { value: requested, own: true };
}
