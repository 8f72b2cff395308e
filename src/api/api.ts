import { z } from "zod";

export const apiGroup = "bellhop.dev";
/** v1beta1, as in MetalLB, so that the manifest of a pool is migrated by changing only its group. */
export const apiVersion = "v1beta1";
export const groupVersion = `${apiGroup}/${apiVersion}`;

/** The loadBalancerClass of Bellhop. */
export const loadBalancerClass = "bellhop.dev/bellhop";

/** The time as metav1.Time: whole seconds, UTC. Drops fractions of a second. */
export function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The first whole second at or after the time, for a time before which something must not end: `timeText` drops fractions. */
export function wholeSecondFrom(wallMs: number): number {
  return Math.ceil(wallMs / 1000) * 1000;
}

/**
 * A text of at most this many characters, and a list of at most this many items. Only the API server checks that, when an object is
 * written: an object that is older than the bound stays readable.
 */
export function boundedText(maxLength: number): z.ZodString {
  return z.string().meta({ maxLength });
}

export function boundedList<Item extends z.ZodType>(item: Item, maxItems: number): z.ZodArray<Item> {
  return z.array(item).meta({ maxItems });
}

function boundedLabels(maxProperties: number) {
  return z.record(z.string(), labelValue).meta({ maxProperties });
}

/** Lengths of names in Kubernetes (apimachinery, util/validation/validation.go): of most objects, of namespaces and Services, of labels. */
export const maxNameLength = 253;
export const maxDnsLabelLength = 63;
const maxLabelKeyLength = 317;
const labelValue = boundedText(63);

/** metav1.Condition, with its bounds (apimachinery, meta/v1/types.go). */
export const conditionSchema = z.object({
  type: boundedText(316).describe("Type of the condition."),
  status: z.enum(["True", "False", "Unknown"]).describe("Status of the condition."),
  reason: boundedText(1_024).describe("Why the condition has this status, as one word in CamelCase."),
  message: boundedText(32_768).describe("Why the condition has this status, as text for people."),
  lastTransitionTime: z.string().meta({ format: "date-time" }).describe("When the status last changed."),
  observedGeneration: z.int().optional().describe("The metadata.generation that the condition was set for."),
});
export type Condition = z.infer<typeof conditionSchema>;

/** metav1.LabelSelector. */
export const labelSelectorSchema = z.object({
  matchLabels: boundedLabels(64).optional().describe("Labels and the values that they must have."),
  matchExpressions: boundedList(
    z.object({
      key: boundedText(maxLabelKeyLength).describe("Name of the label."),
      operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).describe("How the label is compared."),
      values: boundedList(labelValue, 256).optional().describe("Values for the operators In and NotIn."),
    }),
    64,
  )
    .optional()
    .describe("Requirements that the labels must meet, all of them."),
});
export type LabelSelector = z.infer<typeof labelSelectorSchema>;

/** The part of metadata that Bellhop reads of its own objects. */
export const metadataSchema = z.object({
  name: z.string(),
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  generation: z.int().default(0),
  creationTimestamp: z.string().default(""),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  finalizers: z.array(z.string()).default([]),
});

/** How many selectors, names of objects, and conditions one list may have. */
export const maxSelectors = 64;
export const maxNames = 1_024;
export const maxConditions = 32;
export const maxInterfaces = 1_024;
/** The longest name of a Linux interface (IFNAMSIZ, linux/if.h). */
export const maxInterfaceNameLength = 15;
