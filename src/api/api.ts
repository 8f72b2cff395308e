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
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
  observedGeneration: z.int().optional(),
});
export type Condition = z.infer<typeof conditionSchema>;

/** metav1.LabelSelector. */
export const labelSelectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
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
