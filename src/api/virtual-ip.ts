import { z } from "zod";
import { conditionSchema, metadataSchema } from "./api.ts";

/** What others who want the same address are held against. Written with the claim, so that etcd judges races between them. */
export const sharingSchema = z.object({
  key: z
    .string()
    .describe(
      "The sharing key; only Services with the same one have an address together. Empty on a node's own address.",
    ),
  ports: z.array(z.string()).describe("The ports that it takes: 80/TCP."),
  backends: z
    .string()
    .describe(
      "externalTrafficPolicy and, under Local, which pods serve; the same for all. Empty on a node's own address.",
    ),
});
export type Sharing = z.infer<typeof sharingSchema>;

export const serviceReferenceSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string().optional().describe("None where an address is kept for a Service that does not exist yet."),
  reassigned: z
    .string()
    .optional()
    .describe("The text of the annotation bellhop.dev/reassign that this address was given for, or at."),
  sharing: sharingSchema.optional().describe("None: the Service has the address for itself."),
});
export type ServiceReference = z.infer<typeof serviceReferenceSchema>;

export const virtualIpSpecSchema = z.object({
  address: z.string().describe("The address, in RFC 5952 form; the object's name is made from it."),
  pool: z.string().optional().describe("The IPAddressPool it was taken from."),
  node: z
    .string()
    .optional()
    .describe("The node whose own address it is. That node answers for it by itself, and no speaker does."),
  services: z.array(serviceReferenceSchema).default([]).describe("The Services that have it."),
  owners: z
    .array(z.string())
    .default([])
    .describe("Nodes in order: the first announces the address, the next takes over."),
  heldUntil: z
    .string()
    .meta({ format: "date-time" })
    .optional()
    .describe("Nobody has it now: until then it is kept for a new Service of the name of the one that had it."),
  interfaces: z
    .array(z.string())
    .default([])
    .describe("Interfaces it may be announced from (* and ?); none: every one with its subnet."),
});

export const virtualIpStatusSchema = z.object({
  node: z.string().optional().describe("The node that announces it now."),
  interfaces: z.array(z.string()).optional().describe("The interfaces that node announces it from."),
  mac: z.string().optional().describe("The hardware address that it gives for the first of them."),
  since: z.string().optional().describe("Since when that node announces it."),
  conditions: z.array(conditionSchema).optional(),
});

/** The claim of one address: creating it is the allocation, because its name is unique in the cluster. */
export const virtualIpSchema = z.object({
  metadata: metadataSchema,
  spec: virtualIpSpecSchema,
  status: virtualIpStatusSchema.optional(),
});
export type VirtualIP = z.infer<typeof virtualIpSchema>;
