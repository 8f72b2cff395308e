import { z } from "zod";
import { conditionSchema, metadataSchema } from "./api.ts";

export const speakerInterfaceSchema = z.object({
  name: z.string(),
  mac: z.string().describe("Hardware address, lower case, colons."),
  up: z.boolean().describe("Whether it has a carrier."),
  addresses: z.array(z.string()).describe("Its addresses with prefix length: 192.0.2.11/24."),
});

export const speakerStatusSchema = z.object({
  version: z.string().optional().describe("Version of the speaker."),
  bootNonce: z.string().optional().describe("Drawn anew at each start of the speaker."),
  kernel: z.string().optional().describe("Release of the node's kernel."),
  interfaces: z.array(speakerInterfaceSchema).default([]),
  announcing: z.array(z.string()).default([]).describe("Addresses that this node answers for now."),
  announcingCount: z.int().optional().describe("How many addresses that is."),
  conditions: z.array(conditionSchema).optional().describe("What of the node stands in the way of forwarding."),
});

/** One per node, named after it, written by the speaker of that node alone. That it is alive is said by its Lease. */
export const speakerSchema = z.object({ metadata: metadataSchema, status: speakerStatusSchema.optional() });
export type Speaker = z.infer<typeof speakerSchema>;

/** The Lease by which the speaker of a node says that it is alive; in Bellhop's own namespace. */
export function speakerLeaseName(node: string): string {
  return `speaker-${node}`;
}
