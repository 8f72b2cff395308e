import { z } from "zod";
import { conditionSchema, labelSelectorSchema, metadataSchema } from "./api.ts";

/** Who may take addresses from the pool without naming it, and in which order pools are tried. */
export const serviceAllocationSchema = z.object({
  priority: z
    .int()
    .min(0)
    .optional()
    .describe("Pools with a lower number are tried first; 0 or none comes last, in no promised order among equals."),
  namespaces: z.array(z.string()).optional().describe("Namespaces whose Services may take addresses from this pool."),
  namespaceSelectors: z
    .array(labelSelectorSchema)
    .optional()
    .describe("The same, by labels of the namespace; any one suffices."),
  serviceSelectors: z.array(labelSelectorSchema).optional().describe("Labels a Service must have; any one suffices."),
});

/**
 * Where the control plane and the way into a node usually listen (Kubernetes documentation, "Ports and Protocols"; RFC 4251 for
 * SSH). A Service that took one of them on a node's own address would cut the node off.
 */
export const usualNodePorts = [
  "22/TCP",
  "2379/TCP",
  "2380/TCP",
  "6443/TCP",
  "10250/TCP",
  "10256/TCP",
  "10257/TCP",
  "10259/TCP",
] as const;

/** Instead of addresses of its own the pool has those of nodes. */
export const nodeAddressesSchema = z.object({
  nodeSelectors: z
    .array(labelSelectorSchema)
    .optional()
    .describe("Labels a node must have; any one suffices. None: every node."),
  reservedPorts: z
    .array(z.string())
    .default([...usualNodePorts])
    .describe("Ports that no Service may take there, because the nodes themselves listen on them: 22/TCP."),
});

/** How Services may have one address of the pool together (annotation bellhop.dev/share). */
export const poolSharingSchema = z.object({
  acrossNamespaces: z
    .boolean()
    .default(false)
    .describe("Whether Services of different namespaces may have one address together."),
});

export const ipAddressPoolSpecSchema = z.object({
  addresses: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "CIDRs, first-last ranges or single addresses, IPv4 and IPv6 mixed: 192.0.2.0/24, 192.0.2.10-192.0.2.20, 2001:db8::/64.",
    ),
  nodeAddresses: nodeAddressesSchema
    .optional()
    .describe(
      "Instead of `addresses`: a Service has the own addresses of all these nodes (ExternalIP, else InternalIP), beside other Services with other ports.",
    ),
  exclude: z
    .array(z.string())
    .default([])
    .describe("Taken out of `addresses`, written like them: addresses that something else uses."),
  state: z
    .enum(["Active", "Draining"])
    .default("Active")
    .describe("Draining: Services keep what they have from it, and nothing new is given."),
  holdAfterDelete: z
    .string()
    .optional()
    .describe(
      "How long the address of a deleted Service is kept for a new one of the same namespace and name: 10m, 1h30m; a year at most.",
    ),
  autoAssign: z.boolean().default(true).describe("Whether Services that name no pool may get an address from it."),
  avoidBuggyIPs: z
    .boolean()
    .default(false)
    .describe("Leaves out IPv4 addresses ending in .0 and .255, which some old equipment takes for broadcasts."),
  serviceAllocation: serviceAllocationSchema.optional(),
  sharing: poolSharingSchema.optional(),
});

export const ipAddressPoolStatusSchema = z.object({
  assignedIPv4: z.string().optional().describe("Addresses given to Services, exact."),
  availableIPv4: z.string().optional().describe("Addresses that could be given now, exact; 0 while the pool drains."),
  assignedIPv6: z.string().optional(),
  availableIPv6: z.string().optional(),
  conditions: z.array(conditionSchema).optional(),
});

export const ipAddressPoolSchema = z.object({
  metadata: metadataSchema,
  spec: ipAddressPoolSpecSchema,
  status: ipAddressPoolStatusSchema.optional(),
});
export type IPAddressPool = z.infer<typeof ipAddressPoolSchema>;
