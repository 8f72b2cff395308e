import { z } from "zod";
import { boundedList, boundedText, metadataSchema } from "./api.ts";

/** One heartbeat address of each IP family. */
export const maxHeartbeatAddresses = 2;
/** How many hardware addresses of a node its peers learn. */
export const maxIdentityMacs = 64;
/** The port that speakers send heartbeats from and to, unless an option says otherwise. */
export const defaultHeartbeatPort = 7482;
/** The TCP port of the kubelet, unless its configuration says otherwise (kubernetes, pkg/cluster/ports/ports.go). */
export const defaultKubeletPort = 10250;

export const speakerIdentitySpecSchema = z
  .object({
    addresses: boundedList(boundedText(45), maxHeartbeatAddresses)
      .default([])
      .describe(
        "Where the speaker receives heartbeats: of each IP family the first InternalIP of the Node that is on one of its interfaces. Empty: there is none, and other speakers do not hear this one.",
      ),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .describe("The UDP port on which the speaker receives heartbeats: its option --heartbeat-port."),
    macs: boundedList(boundedText(17), maxIdentityMacs)
      .default([])
      .describe(
        "MAC addresses of the interfaces from which the node can announce addresses, in lower case with colons. The first 64.",
      ),
    kubeletPort: z
      .int()
      .min(1)
      .max(65_535)
      .default(defaultKubeletPort)
      .describe(
        "The TCP port of the kubelet, at the same addresses. Other speakers connect to it when they no longer hear this one, to learn whether any program runs on the node.",
      ),
  })
  .describe("How other speakers reach this one. The speaker writes it.");
export type SpeakerIdentitySpec = z.infer<typeof speakerIdentitySpecSchema>;

/**
 * One per node, named after it, written only by the speaker of that node and watched by all speakers. It changes rarely: what changes often
 * is in the Speaker, which only the controller watches.
 */
export const speakerIdentitySchema = z.object({ metadata: metadataSchema, spec: speakerIdentitySpecSchema });
export type SpeakerIdentity = z.infer<typeof speakerIdentitySchema>;
