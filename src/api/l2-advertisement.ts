import { z } from "zod";
import { labelSelectorSchema, metadataSchema } from "./api.ts";

export const l2AdvertisementSpecSchema = z.object({
  ipAddressPools: z
    .array(z.string())
    .optional()
    .describe("Names of the pools it is about; with no selector either: all."),
  ipAddressPoolSelectors: z.array(labelSelectorSchema).optional().describe("Pools by their labels; any one suffices."),
  nodeSelectors: z
    .array(labelSelectorSchema)
    .optional()
    .describe("Nodes that may announce; any one suffices; none: all."),
  interfaces: z
    .array(z.string())
    .optional()
    .describe("Interfaces to announce from, * and ? as in file names; none: every one with the subnet."),
});

/** Says which pools are announced from where. With no L2Advertisement at all, every pool is, from every node on its subnet. */
export const l2AdvertisementSchema = z.object({
  metadata: metadataSchema,
  spec: l2AdvertisementSpecSchema.default({}),
});
export type L2Advertisement = z.infer<typeof l2AdvertisementSchema>;
