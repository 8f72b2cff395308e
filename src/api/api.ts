import { z } from "zod";

export const apiGroup = "bellhop.dev";
/** v1beta1, as MetalLB's, so that a pool's manifest is ported by changing its group alone. */
export const apiVersion = "v1beta1";
export const groupVersion = `${apiGroup}/${apiVersion}`;

/** The loadBalancerClass that is ours. */
export const loadBalancerClass = "bellhop.dev/bellhop";

/** A moment in the form of metav1.Time: whole seconds, UTC. */
export function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** metav1.Condition. */
export const conditionSchema = z.object({
  type: z.string().describe("Type of the condition."),
  status: z.enum(["True", "False", "Unknown"]).describe("Status of the condition."),
  reason: z.string().describe("Why the condition has this status, as one word in CamelCase."),
  message: z.string().describe("Why the condition has this status, as text for people."),
  lastTransitionTime: z.string().describe("When the status last changed."),
  observedGeneration: z.int().optional().describe("The metadata.generation that the condition was set for."),
});
export type Condition = z.infer<typeof conditionSchema>;

/** metav1.LabelSelector. */
export const labelSelectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).optional().describe("Labels and the values that they must have."),
  matchExpressions: z
    .array(
      z.object({
        key: z.string().describe("Name of the label."),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]).describe("How the label is compared."),
        values: z.array(z.string()).optional().describe("Values for the operators In and NotIn."),
      }),
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
