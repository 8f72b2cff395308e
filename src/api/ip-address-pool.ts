import { z } from "zod";
import {
  boundedList,
  boundedText,
  conditionSchema,
  labelSelectorSchema,
  maxConditions,
  maxDnsLabelLength,
  maxNames,
  maxSelectors,
  metadataSchema,
} from "./api.ts";

/** Which Services may get addresses from the pool, and in which order pools are tried. */
export const serviceAllocationSchema = z.object({
  priority: z
    .int()
    .min(0)
    .optional()
    .describe(
      "Pools with a lower number are tried first. Pools with 0 or without a number are tried last. The order of pools with the same number is not defined.",
    ),
  namespaces: boundedList(boundedText(maxDnsLabelLength), maxNames)
    .optional()
    .describe(
      "Namespaces whose Services may get addresses from this pool. Without namespaces and namespaceSelectors: all namespaces.",
    ),
  namespaceSelectors: boundedList(labelSelectorSchema, maxSelectors)
    .optional()
    .describe(
      "Labels of the namespaces whose Services may get addresses from this pool. One matching selector is enough.",
    ),
  serviceSelectors: boundedList(labelSelectorSchema, maxSelectors)
    .optional()
    .describe(
      "Labels of the Services that may get addresses from this pool. One matching selector is enough. None: all.",
    ),
});

/** `10000-20000/SCTP`, and how many of these a list may have. */
const maxPortRangeLength = 16;
const maxPortRanges = 256;

/** HTTP, HTTPS and HTTP/3. Any other port may be one that the nodes need. */
export const defaultNodePorts = ["80/TCP", "443/TCP", "443/UDP"] as const;

/** The pool assigns the addresses of nodes instead of addresses of its own. */
export const nodeAddressesSchema = z.object({
  nodeSelectors: boundedList(labelSelectorSchema, maxSelectors)
    .optional()
    .describe("Labels of the nodes whose addresses are assigned. One matching selector is enough. None: all nodes."),
  allowedPorts: boundedList(boundedText(maxPortRangeLength), maxPortRanges)
    .default([...defaultNodePorts])
    .describe(
      "Ports that Services may use on node addresses: 80/TCP or 8000-8100/TCP. Ports that nodes need, such as those of the kubelet, of overlay networks and all node ports, are refused even here.",
    ),
  reservedPorts: boundedList(boundedText(maxPortRangeLength), maxPortRanges)
    .default([])
    .describe("Ports of allowedPorts that no Service may use, because something on the nodes listens there."),
});

/** How Services may share an address of the pool (annotation bellhop.dev/share). */
export const poolSharingSchema = z.object({
  acrossNamespaces: z
    .boolean()
    .default(false)
    .describe(
      "Whether Services of different namespaces may share an address without listing each other in the annotation bellhop.dev/share-with.",
    ),
});

/** How packets for a port of a Service may be delivered (Forwarding in src/model/forwarding.ts). */
export const forwardings = ["kube-proxy", "pods", "nodeport"] as const;

/** Values of `status.loadBalancer.ingress[].ipMode` of a Service (LoadBalancerIPMode in k8s.io/api/core/v1). */
export const ipModes = ["VIP", "Proxy"] as const;

export const ipAddressPoolSpecSchema = z
  .object({
    addresses: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        "The addresses of the pool: CIDRs, ranges or single addresses of both IP families, for example 192.0.2.0/24, 192.0.2.10-192.0.2.20, 2001:db8::/64. Exactly one of addresses and nodeAddresses is required.",
      ),
    nodeAddresses: nodeAddressesSchema
      .optional()
      .describe(
        "Assign the addresses of nodes instead of addresses of the pool. Each Service gets the address of every selected node (ExternalIP, otherwise InternalIP). Services with different ports share these addresses.",
      ),
    exclude: z
      .array(z.string())
      .default([])
      .describe("Addresses to leave out, in the same notation as addresses, for example because a router uses them."),
    allowOverlap: boundedList(z.enum(["PodCIDR"]), 1)
      .default([])
      .describe(
        "Networks of the cluster that the pool may overlap. PodCIDR: the pod CIDRs of nodes. Set it only if no pod has addresses of these, because the network plug-in uses a network of its own. Otherwise pods become unreachable.",
      ),
    state: z
      .enum(["Active", "Draining"])
      .default("Active")
      .describe("Draining: Services keep the addresses that they have, and the pool assigns no new ones."),
    holdAfterDelete: z
      .string()
      .optional()
      .describe(
        "How long the address of a deleted Service stays reserved for a new Service with the same namespace and name, for example 10m or 1h30m. At most one year. Not set: not at all.",
      ),
    autoAssign: z
      .boolean()
      .default(true)
      .describe("Whether Services that name no pool and request no address may get an address from this pool."),
    avoidBuggyIPs: z
      .boolean()
      .default(false)
      .describe(
        "Whether to skip IPv4 addresses that end in .0 or .255, which some old devices treat as broadcast addresses. A Service that requests one is refused. One that has one keeps it.",
      ),
    forwarding: z
      .enum(forwardings)
      .optional()
      .describe(
        "How traffic of Services with an address of the pool reaches the pods, unless the Service has the annotation bellhop.dev/forwarding. kube-proxy: by kube-proxy's own rules for the address. pods: straight to a pod. nodeport: rewritten to the node port of the announcing node. Not set: decided for each port. Not for nodeAddresses.",
      ),
    ipMode: z
      .enum(ipModes)
      .optional()
      .describe(
        "The ipMode in the status of Services with an address of the pool, unless the Service has the annotation bellhop.dev/ip-mode. Proxy: service proxies have no rules for the address, and Bellhop serves pods and nodes that connect to it; only with forwarding by node port. Not set: VIP. Not for nodeAddresses.",
      ),
    serviceAllocation: serviceAllocationSchema
      .optional()
      .describe("Which Services may get addresses from this pool, and when it is tried. Not set: all Services."),
    sharing: poolSharingSchema.optional().describe("How Services may share an address of this pool."),
  })
  .describe("The addresses of the pool, and the Services that may get them.");

export const ipAddressPoolStatusSchema = z
  .object({
    assignedIPv4: boundedText(40).optional().describe("Exact number of IPv4 addresses that are assigned to Services."),
    availableIPv4: boundedText(40)
      .optional()
      .describe("Exact number of IPv4 addresses that can be assigned. 0 while the pool is draining."),
    assignedIPv6: boundedText(40).optional().describe("Exact number of IPv6 addresses that are assigned to Services."),
    availableIPv6: boundedText(40)
      .optional()
      .describe("Exact number of IPv6 addresses that can be assigned. 0 while the pool is draining."),
    conditions: boundedList(conditionSchema, maxConditions)
      .optional()
      .describe(
        "Ready: whether the pool is usable; its reason says whether it assigns addresses. Stalled: whether the pool must be changed first. AllInPool: whether it still contains all addresses that it has assigned. AddressesBlocked: whether something else uses addresses of the pool.",
      ),
  })
  .describe("What the controller has found. The controller writes it.");

export const ipAddressPoolSchema = z.object({
  metadata: metadataSchema,
  spec: ipAddressPoolSpecSchema,
  status: ipAddressPoolStatusSchema.optional(),
});
export type IPAddressPool = z.infer<typeof ipAddressPoolSchema>;
