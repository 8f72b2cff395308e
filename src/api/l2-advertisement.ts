import { z } from "zod";
import {
  boundedList,
  boundedText,
  labelSelectorSchema,
  maxInterfaceNameLength,
  maxInterfaces,
  maxNameLength,
  maxNames,
  maxSelectors,
  metadataSchema,
} from "./api.ts";

/** Like the PreferredSchedulingTerm of node affinity, but with a label selector. */
export const preferredNodeSelectorSchema = z.object({
  weight: z.int().min(1).max(100).describe("How much a matching node is preferred, from 1 to 100."),
  preference: labelSelectorSchema.describe("Labels of the preferred nodes."),
});

export const l2AdvertisementSpecSchema = z
  .object({
    ipAddressPools: boundedList(boundedText(maxNameLength), maxNames)
      .optional()
      .describe("Names of the pools to announce. Without names and selectors: all pools."),
    ipAddressPoolSelectors: boundedList(labelSelectorSchema, maxSelectors)
      .optional()
      .describe("Labels of the pools to announce. One matching selector is enough."),
    nodeSelectors: boundedList(labelSelectorSchema, maxSelectors)
      .optional()
      .describe("Labels of the nodes that may announce the pools. One matching selector is enough. None: all nodes."),
    interfaces: boundedList(boundedText(maxInterfaceNameLength), maxInterfaces)
      .optional()
      .describe(
        "Interfaces from which the pools may be announced, with * and ? as in file names. None: all interfaces on the subnet of the address.",
      ),
    serviceSelectors: boundedList(labelSelectorSchema, maxSelectors)
      .optional()
      .describe(
        "Labels of the Services whose addresses are announced. One matching selector and, on a shared address, one matching Service is enough. None: all Services.",
      ),
    preferredNodeSelectors: boundedList(preferredNodeSelectorSchema, maxSelectors)
      .optional()
      .describe(
        "Labels of the nodes that announce the pools if possible. The weights of all that match a node are added, and the nodes with the highest sum come first. Other nodes announce only if none of these can.",
      ),
  })
  .describe("The pools to announce, and the nodes and interfaces that may announce them.");

/** Restricts which pools are announced from where. Without any L2Advertisement every node on the subnet of an address may announce it. */
export const l2AdvertisementSchema = z.object({
  metadata: metadataSchema,
  spec: l2AdvertisementSpecSchema.default({}),
});
export type L2Advertisement = z.infer<typeof l2AdvertisementSchema>;
