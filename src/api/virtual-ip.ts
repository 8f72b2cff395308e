import { z } from "zod";
import { conditionSchema, metadataSchema } from "./api.ts";

/** What other Services must be compatible with to share the address. Written with the claim, so that etcd decides races between them. */
export const sharingSchema = z.object({
  key: z
    .string()
    .describe("The sharing key. Only Services with the same key share an address. Empty on a node address."),
  ports: z.array(z.string()).describe("Ports that the Service uses, for example 80/TCP."),
  backends: z
    .string()
    .describe(
      "The externalTrafficPolicy and, with Local, the pods of the Service. Equal for all Services of the address. Empty on a node address.",
    ),
});
export type Sharing = z.infer<typeof sharingSchema>;

export const serviceReferenceSchema = z.object({
  namespace: z.string().describe("Namespace of the Service."),
  name: z.string().describe("Name of the Service."),
  uid: z
    .string()
    .optional()
    .describe("UID of the Service. Not set: the address is reserved for any Service of this name."),
  reassigned: z
    .string()
    .optional()
    .describe("Value of the annotation bellhop.dev/reassign for which the address was assigned."),
  sharing: sharingSchema
    .optional()
    .describe("What other Services must be compatible with. Not set: the address is not shared."),
});
export type ServiceReference = z.infer<typeof serviceReferenceSchema>;

export const virtualIpSpecSchema = z
  .object({
    address: z
      .string()
      .describe("The address, in its canonical form (RFC 5952). The name of the object is made from it."),
    pool: z.string().optional().describe("The IPAddressPool that the address was assigned from."),
    node: z
      .string()
      .optional()
      .describe("The node whose own address this is. The node answers for it, and no speaker announces it."),
    services: z
      .array(serviceReferenceSchema)
      .default([])
      .describe("The Services that have the address. Empty: the address is reserved, and no Service has it."),
    owners: z
      .array(z.string())
      .default([])
      .describe("Nodes in order. The first one announces the address, and the next ones take over."),
    heldUntil: z
      .string()
      .meta({ format: "date-time" })
      .optional()
      .describe("Until then the address is reserved for a new Service with the name of the deleted one."),
    interfaces: z
      .array(z.string())
      .default([])
      .describe(
        "Interfaces from which the address may be announced, with * and ? as in file names. None: all interfaces on its subnet.",
      ),
  })
  .describe("The address, the Services that have it, and the nodes that announce it.");

export const virtualIpStatusSchema = z
  .object({
    node: z.string().optional().describe("The node that announces the address now."),
    interfaces: z
      .array(z.string())
      .optional()
      .describe("The interfaces of that node that the address is announced from."),
    mac: z.string().optional().describe("The MAC address that the first of these interfaces announces."),
    since: z.string().optional().describe("Since when that node announces the address."),
    conditions: z
      .array(conditionSchema)
      .optional()
      .describe(
        "Announceable: whether a node may announce the address. InPool: whether a pool contains it. Conflict: whether another device claims it. Each appears with the first problem.",
      ),
  })
  .describe("What the announcing node and the controller report.");

/** The claim of one address: creating it is the allocation, because its name is unique in the cluster. */
export const virtualIpSchema = z.object({
  metadata: metadataSchema,
  spec: virtualIpSpecSchema,
  status: virtualIpStatusSchema.optional(),
});
export type VirtualIP = z.infer<typeof virtualIpSchema>;
