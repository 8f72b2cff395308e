import { z } from "zod";
import { conditionSchema, metadataSchema } from "./api.ts";

export const speakerInterfaceSchema = z.object({
  name: z.string().describe("Name of the interface."),
  mac: z.string().describe("MAC address, in lower case with colons."),
  up: z.boolean().describe("Whether the interface has a carrier."),
  addresses: z.array(z.string()).describe("Addresses with prefix length, for example 192.0.2.11/24."),
});

export const speakerStatusSchema = z
  .object({
    version: z.string().optional().describe("Version of the speaker."),
    bootNonce: z.string().optional().describe("Random text that changes at each start of the speaker."),
    kernel: z.string().optional().describe("Kernel release of the node."),
    interfaces: z.array(speakerInterfaceSchema).default([]).describe("Network interfaces of the node."),
    announcing: z.array(z.string()).default([]).describe("Addresses that the node announces now."),
    announcingCount: z.int().optional().describe("Number of addresses that the node announces now."),
    conditions: z
      .array(conditionSchema)
      .optional()
      .describe("Forwarding: whether the kernel of the node forwards packets."),
  })
  .describe("What the speaker reports. The speaker writes it.");

/** One per node, named after it, written by the speaker of that node alone. That it is alive is said by its Lease. */
export const speakerSchema = z.object({ metadata: metadataSchema, status: speakerStatusSchema.optional() });
export type Speaker = z.infer<typeof speakerSchema>;

/** The Lease by which the speaker of a node says that it is alive; in Bellhop's own namespace. */
export function speakerLeaseName(node: string): string {
  return `speaker-${node}`;
}
