import { z } from "zod";
import { logLevels } from "../log/log.ts";

/** Bits that kube-proxy uses by default: 14 masquerade, 15 drop (pkg/proxy, iptables-masquerade-bit). */
const kubeProxyBits = [14, 15];

/** Settings of `bellhop speaker`. */
export const speakerSettingsSchema = z.object({
  /** Name of the Node that it runs on. */
  node: z.string().min(1, "the name of the node is missing: set --node, or NODE_NAME from spec.nodeName"),
  /** Bellhop's own namespace, with the lease of the speaker. */
  namespace: z.string().min(1),
  /** For use outside a cluster; not set: $KUBECONFIG, else ~/.kube/config. */
  kubeconfig: z.string().optional(),
  /** `::`: every address of the pod, of either family. */
  httpHost: z.string().default("::"),
  httpPort: z.int().min(0).max(65_535).default(7481),
  logLevel: z.enum(logLevels).default("info"),
  /** Which bit of packet and connection marks is ours, 0 to 31. Other programs on the node must leave it alone. */
  markBit: z
    .int()
    .min(0)
    .max(31)
    .refine((bit) => !kubeProxyBits.includes(bit), "Bits 14 and 15 belong to kube-proxy")
    .default(20),
  /** Whether the addresses of Services answer ping from the LAN. */
  answerPing: z.boolean().default(true),
  /** How often the rules are replaced in case something else has changed them. */
  resyncSeconds: z.int().min(10).default(1800),
});
export type SpeakerSettings = z.infer<typeof speakerSettingsSchema>;
