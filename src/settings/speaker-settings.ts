import { z } from "zod";
import { defaultHeartbeatPort } from "../api/speaker-identity.ts";
import { parseAddress } from "../ip/address.ts";
import { logLevels } from "../log/log.ts";

export const defaultStateDirectory = "/run/bellhop";

/** What a speaker does when another device claims an address that it announces. */
export const conflictPolicies = ["defend", "yield"] as const;
export type ConflictPolicy = (typeof conflictPolicies)[number];

/** One of the addresses that count like the gateway (`witnesses`). */
export const witnessSchema = z.string().refine((text) => parseAddress(text) !== undefined, "not an IP address");
/** They are all asked at once when a peer falls silent. */
export const maxWitnesses = 8;

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
  /** The UDP port on which speakers hear each other. */
  heartbeatPort: z.int().min(1).max(65_535).default(defaultHeartbeatPort),
  /** Between two heartbeats to one speaker. A node counts as dead after 2.25 of these without one. */
  heartbeatIntervalMs: z.int().min(50).max(1_000).default(100),
  /** Addresses on the LAN that tell a speaker which hears no other whether this side is connected, as the gateways of the node do. */
  witnesses: z.array(witnessSchema).max(maxWitnesses).default([]),
  /** Where the last stakes are kept. On the node, and emptied by a reboot. */
  stateDirectory: z.string().min(1).default(defaultStateDirectory),
  logLevel: z.enum(logLevels).default("info"),
  /**
   * How long kube-proxy may take until its rules have a change. Until then new connections to a port that is new go straight to pods; 0:
   * kube-proxy is never waited for.
   */
  kubeProxyDelaySeconds: z.int().min(0).max(3600).default(60),
  /** Whether the addresses of Services answer ping from the LAN. */
  answerPing: z.boolean().default(true),
  onConflict: z.enum(conflictPolicies).default("defend"),
  /** How often the rules are replaced in case something else has changed them. */
  resyncSeconds: z.int().min(10).default(1800),
});
export type SpeakerSettings = z.infer<typeof speakerSettingsSchema>;
