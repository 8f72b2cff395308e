import { z } from "zod";
import type { MetallbCompatibility } from "../api/metallb.ts";
import { logLevels } from "../log/log.ts";

/** Settings of `bellhop controller`. */
export const controllerSettingsSchema = z
  .object({
    /** Where Bellhop itself lives: its leader lease, and the leases of its speakers. */
    namespace: z.string().min(1),
    /** Name among the replicas; the host name of the pod. */
    instance: z.string().min(1),
    /** Outside a cluster; none: $KUBECONFIG, else ~/.kube/config. */
    kubeconfig: z.string().optional(),
    /** Whether Services without loadBalancerClass are ours. */
    defaultClass: z.boolean().default(true),
    /** `::`: every address of the pod, of either family. */
    httpHost: z.string().default("::"),
    httpPort: z.int().min(0).max(65_535).default(7480),
    logLevel: z.enum(logLevels).default("info"),
    /** How many Services are worked on at once. */
    workers: z.int().min(1).max(256).default(16),
    /** Off: this one acts without asking, as for a single replica in a test. */
    leaderElect: z.boolean().default(true),
    /** How long the announcing nodes must have been the same before addresses in use are moved to even them out. */
    rebalanceAfterMs: z.int().min(0).default(10_000),
    /** From how many other nodes those are chosen that take over the addresses of one node. */
    peersPerNode: z.int().min(2).max(100).default(6),
    /** Whether pools, advertisements and annotations of MetalLB are honoured, for moving from there. */
    metallb: z.boolean().default(false),
    /** Where MetalLB has its objects; those elsewhere it would not heed either. */
    metallbNamespace: z.string().min(1).default("metallb-system"),
    /** MetalLB's --lb-class, whose Services are then ours. Only together with `metallb`. */
    metallbClass: z.string().min(1).optional(),
    /** Whether nodes with the label node.kubernetes.io/exclude-from-external-load-balancers take part all the same. */
    ignoreExcludeLabel: z.boolean().default(false),
  })
  .refine(({ metallb, metallbClass }) => metallb || metallbClass === undefined, {
    path: ["metallbClass"],
    message: "Services of MetalLB's class are served only with --metallb=true",
  });
export type ControllerSettings = z.infer<typeof controllerSettingsSchema>;

/** What of MetalLB is honoured. Undefined: nothing. */
export function metallbOf({
  metallb,
  metallbNamespace,
  metallbClass,
}: Pick<ControllerSettings, "metallb" | "metallbNamespace" | "metallbClass">): MetallbCompatibility | undefined {
  return metallb ? { namespace: metallbNamespace, loadBalancerClass: metallbClass } : undefined;
}
