import { z } from "zod";
import type { MetallbCompatibility } from "../api/metallb.ts";
import { logLevels } from "../log/log.ts";

/** How many addresses one namespace may keep from others without a Service that has them: ResourceQuota counts none of these. */
export interface NamespaceLimits {
  /** Addresses that are held for names of deleted Services. */
  readonly holds: number;
  /** Addresses that Services list in spec.externalIPs. */
  readonly externalIps: number;
}

export const defaultNamespaceLimits: NamespaceLimits = { holds: 10, externalIps: 16 };

/** Settings of `bellhop controller`. */
export const controllerSettingsSchema = z
  .object({
    /** Bellhop's own namespace, with the leader lease and the leases of the speakers. */
    namespace: z.string().min(1),
    /** Name among the replicas; the host name of the pod. */
    instance: z.string().min(1),
    /** For use outside a cluster; not set: $KUBECONFIG, else ~/.kube/config. */
    kubeconfig: z.string().optional(),
    /** Whether Services without loadBalancerClass are ours. */
    defaultClass: z.boolean().default(true),
    /** `::`: every address of the pod, of either family. */
    httpHost: z.string().default("::"),
    httpPort: z.int().min(0).max(65_535).default(7480),
    logLevel: z.enum(logLevels).default("info"),
    /** How many Services are worked on at once. */
    workers: z.int().min(1).max(256).default(16),
    /** False: this replica acts without a leader lease, as the single replica of a test may. */
    leaderElect: z.boolean().default(true),
    /** How long the announcing nodes must have been the same before addresses in use are moved to balance them. */
    rebalanceAfterMs: z.int().min(0).default(10_000),
    /** From how many other nodes the waiting owners of one node's addresses are chosen. */
    peersPerNode: z.int().min(2).max(100).default(6),
    /** How many addresses are held for names of deleted Services of one namespace. */
    maxHoldsPerNamespace: z.int().min(0).default(defaultNamespaceLimits.holds),
    /** How many addresses in spec.externalIPs of Services of one namespace are kept out of pools. */
    maxExternalIpsPerNamespace: z.int().min(0).default(defaultNamespaceLimits.externalIps),
    /** Whether pools, advertisements and annotations of MetalLB are honoured, for moving from there. */
    metallb: z.boolean().default(false),
    /** The namespace of MetalLB's objects; MetalLB ignores others, too. */
    metallbNamespace: z.string().min(1).default("metallb-system"),
    /** MetalLB's --lb-class, whose Services are then Bellhop's. Only together with `metallb`. */
    metallbClass: z.string().min(1).optional(),
    /** Whether nodes with the label node.kubernetes.io/exclude-from-external-load-balancers take part nevertheless. */
    ignoreExcludeLabel: z.boolean().default(false),
  })
  .refine(({ metallb, metallbClass }) => metallb || metallbClass === undefined, {
    path: ["metallbClass"],
    message: "Services of MetalLB's class are served only with --metallb=true",
  });
export type ControllerSettings = z.infer<typeof controllerSettingsSchema>;

/** What is honoured of MetalLB; undefined: nothing. */
export function metallbOf({
  metallb,
  metallbNamespace,
  metallbClass,
}: Pick<ControllerSettings, "metallb" | "metallbNamespace" | "metallbClass">): MetallbCompatibility | undefined {
  return metallb ? { namespace: metallbNamespace, loadBalancerClass: metallbClass } : undefined;
}

export function namespaceLimitsOf(
  settings: Pick<ControllerSettings, "maxHoldsPerNamespace" | "maxExternalIpsPerNamespace">,
): NamespaceLimits {
  return { holds: settings.maxHoldsPerNamespace, externalIps: settings.maxExternalIpsPerNamespace };
}
