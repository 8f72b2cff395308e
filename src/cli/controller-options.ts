import type { MetallbCompatibility } from "../api/metallb.ts";
import { BellhopError } from "../error/error.ts";
import {
  controllerSettingsSchema,
  metallbOf,
  type NamespaceLimits,
  namespaceLimitsOf,
} from "../settings/controller-settings.ts";
import type { PublishedSettings } from "../settings/published-settings.ts";

/** The settings of the controller that a command assumes. */
export interface ChosenSettings {
  /** Whether the controller serves Services without a class. */
  readonly defaultClass: boolean;
  /** What is honoured of MetalLB; undefined: nothing. */
  readonly metallb: MetallbCompatibility | undefined;
  /** Whether nodes take part that are labelled as excluded from load balancers. */
  readonly ignoreExcludeLabel: boolean;
  readonly limits: NamespaceLimits;
}

/**
 * What the command line says, else the controller that leads (or led last), else the environment, which is the controller's own in its
 * pod, else the defaults of the controller. Throws ConfigurationInvalid for a class of MetalLB that would not be read.
 */
export function chooseSettings(
  options: Readonly<Record<string, string | undefined>>,
  published: PublishedSettings | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ChosenSettings {
  const told = published ?? fromEnvironment(env);
  const flag = (text: string | undefined): boolean | undefined => (text === undefined ? undefined : text === "true");
  const { defaultClass, metallb, metallbNamespace, metallbClass, ignoreExcludeLabel } = controllerSettingsSchema.shape;
  const { maxHoldsPerNamespace, maxExternalIpsPerNamespace } = controllerSettingsSchema.shape;
  const readsMetallb = metallb.parse(flag(options.metallb) ?? told.metallb);
  if (options.metallbClass !== undefined && !readsMetallb) {
    throw new BellhopError(
      "ConfigurationInvalid",
      "--metallb-class has no effect without --metallb=true: add it, or remove --metallb-class",
    );
  }
  return {
    defaultClass: defaultClass.parse(flag(options.defaultClass) ?? told.defaultClass),
    metallb: metallbOf({
      metallb: readsMetallb,
      metallbNamespace: metallbNamespace.parse(options.metallbNamespace ?? told.metallbNamespace),
      metallbClass: metallbClass.parse(options.metallbClass ?? told.metallbClass),
    }),
    ignoreExcludeLabel: ignoreExcludeLabel.parse(flag(options.ignoreExcludeLabel) ?? told.ignoreExcludeLabel),
    limits: namespaceLimitsOf({
      maxHoldsPerNamespace: maxHoldsPerNamespace.parse(told.maxHoldsPerNamespace),
      maxExternalIpsPerNamespace: maxExternalIpsPerNamespace.parse(told.maxExternalIpsPerNamespace),
    }),
  };
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): PublishedSettings {
  const set = (name: string): boolean | undefined => (env[name] === undefined ? undefined : env[name] === "true");
  const count = (name: string): number | undefined => (env[name] === undefined ? undefined : Number(env[name]));
  return {
    defaultClass: set("BELLHOP_DEFAULT_CLASS"),
    metallb: set("BELLHOP_METALLB"),
    metallbNamespace: env.BELLHOP_METALLB_NAMESPACE,
    metallbClass: env.BELLHOP_METALLB_CLASS,
    ignoreExcludeLabel: set("BELLHOP_IGNORE_EXCLUDE_LABEL"),
    maxHoldsPerNamespace: count("BELLHOP_MAX_HOLDS_PER_NAMESPACE"),
    maxExternalIpsPerNamespace: count("BELLHOP_MAX_EXTERNAL_IPS_PER_NAMESPACE"),
  };
}
