import { z } from "zod";
import {
  boundedList,
  boundedText,
  conditionSchema,
  maxConditions,
  maxDnsLabelLength,
  maxInterfaceNameLength,
  maxInterfaces,
  maxNameLength,
  metadataSchema,
} from "./api.ts";
import { managedByController, managedByLabel } from "./labels.ts";

/** The longest key that Services can share an address by. */
export const maxSharingKeyLength = 253;
/** How many ports a Service may have that shares its address, each at most `65535/SCTP`. */
export const maxSharedPorts = 100;
/** How many other namespaces a Service may list in bellhop.dev/share-with. */
export const maxSharingNamespaces = 32;
/** How many Services may share one address. */
export const maxSharers = 100;
/** The longest text that is kept of the annotation bellhop.dev/reassign, and of the backends of a Service. */
export const maxReassignedLength = 200;
export const maxBackendsLength = 400;

/** What other Services must be compatible with to share the address. Written with the claim, so that etcd decides races between them. */
export const sharingSchema = z.object({
  key: boundedText(maxSharingKeyLength).describe(
    "The sharing key. Only Services with the same key share an address. Empty on a node address.",
  ),
  namespaces: boundedList(boundedText(maxDnsLabelLength), maxSharingNamespaces)
    .optional()
    .describe("Other namespaces whose Services may join. Services there must list this namespace, too."),
  ports: boundedList(boundedText(10), maxSharedPorts).describe("Ports that the Service uses, for example 80/TCP."),
  backends: boundedText(maxBackendsLength).describe(
    "The externalTrafficPolicy and, with Local, the pods of the Service. Equal for all Services of the address. Empty on a node address.",
  ),
});
export type Sharing = z.infer<typeof sharingSchema>;

export const serviceReferenceSchema = z.object({
  namespace: boundedText(maxDnsLabelLength).describe("Namespace of the Service."),
  name: boundedText(maxDnsLabelLength).describe("Name of the Service."),
  uid: boundedText(128)
    .optional()
    .describe("UID of the Service. Not set: the address is reserved for any Service of this name."),
  reassigned: boundedText(maxReassignedLength)
    .optional()
    .describe("Value of the annotation bellhop.dev/reassign for which the address was assigned."),
  sharing: sharingSchema
    .optional()
    .describe("What other Services must be compatible with. Not set: the address is not shared."),
});
export type ServiceReference = z.infer<typeof serviceReferenceSchema>;

export const ownerInterfacesSchema = z.object({
  node: boundedText(maxNameLength).describe("Name of the owner."),
  interfaces: boundedList(boundedText(maxNameLength), maxInterfaces)
    .default([])
    .describe("Interfaces of this node, with * and ? as in file names. None: all interfaces on the subnet."),
});
export type OwnerInterfaces = z.infer<typeof ownerInterfacesSchema>;

export const virtualIpSpecSchema = z
  .object({
    address: z
      .string()
      .describe("The address, in its canonical form (RFC 5952). The name of the object is made from it."),
    pool: boundedText(maxNameLength).optional().describe("The IPAddressPool that the address was assigned from."),
    node: boundedText(maxNameLength)
      .optional()
      .describe("The node whose own address this is. The node answers for it, and no speaker announces it."),
    // Not an enum: an object with a mode that a later version knows stays readable.
    forwarding: boundedText(63)
      .optional()
      .describe(
        "How traffic reaches the pods of Services without the annotation bellhop.dev/forwarding: kube-proxy, pods or nodeport. The controller copies it from the pool; in a reservation the user sets it.",
      ),
    services: boundedList(serviceReferenceSchema, 256)
      .default([])
      .describe("The Services that have the address. Empty: the address is reserved, and no Service has it."),
    owners: boundedList(boundedText(maxNameLength), 64)
      .default([])
      .describe(
        "Nodes in order. The first one announces the address, and the next ones take over. In a reservation by a user: empty, see status.owners.",
      ),
    heldUntil: z
      .string()
      .meta({ format: "date-time" })
      .optional()
      .describe(
        "Until then the address is reserved for a new Service with the name of the deleted one. Without services: until then no Service gets it, because another device on the LAN had it.",
      ),
    interfaces: boundedList(boundedText(maxNameLength), maxInterfaces)
      .default([])
      .describe(
        "Interfaces from which the address may be announced, with * and ? as in file names. None: all interfaces on its subnet. They are those of the first owner, and of all others that are not in ownerInterfaces.",
      ),
    probe: z
      .boolean()
      .optional()
      .describe(
        "Whether speakers check that no other device has the address before they announce it for the first time. The controller sets it for addresses that no Service had before.",
      ),
    ownerInterfaces: boundedList(ownerInterfacesSchema, 64)
      .optional()
      .describe("Interfaces of owners that may announce the address from others than the first one."),
  })
  .describe("The address, the Services that have it, and the nodes that announce it.");

/** What the controller has recorded of one Service of a reservation. */
export const recordedServiceSchema = z.object({
  namespace: boundedText(maxDnsLabelLength).describe("Namespace of the Service."),
  name: boundedText(maxDnsLabelLength).describe("Name of the Service."),
  sharing: sharingSchema.describe("What other Services must be compatible with."),
});
export type RecordedService = z.infer<typeof recordedServiceSchema>;

/** Why a node began to announce an address. */
export type AnnouncementCause = "Planned" | "PeerDead" | "PeerUnhealthy" | "PeerLeft" | "Start";

/** The causes as text, for people. */
export const causeTexts: Readonly<Record<AnnouncementCause, string>> = {
  Planned: "the list of owners changed",
  PeerDead: "the node that announced it before died",
  PeerUnhealthy: "that node could not serve it",
  PeerLeft: "that node left",
  Start: "no node announced it",
};

export const virtualIpStatusSchema = z
  .object({
    owners: boundedList(ownerInterfacesSchema, 64)
      .optional()
      .describe(
        "In a reservation by a user: nodes in order, with their interfaces. The first one announces the address, and the next ones take over. The controller writes it.",
      ),
    ownersRevision: z
      .int()
      .optional()
      .describe(
        "In a reservation by a user: how often the controller has changed status.owners. It writes both together.",
      ),
    forwarding: boundedText(63)
      .optional()
      .describe(
        "In a reservation by a user: spec.forwarding of the pool that contains the address. spec.forwarding of the reservation takes precedence. The controller writes it.",
      ),
    services: boundedList(recordedServiceSchema, 256)
      .optional()
      .describe(
        "In a reservation by a user: what the Services in spec.services use of the address. The controller writes it.",
      ),
    node: boundedText(maxNameLength).optional().describe("The node that announces the address now."),
    probed: z
      .boolean()
      .optional()
      .describe(
        "Whether spec.probe is done: the address was announced, and no other device has answered for it in time.",
      ),
    interfaces: boundedList(boundedText(maxInterfaceNameLength), maxInterfaces)
      .optional()
      .describe("The interfaces of that node that the address is announced from."),
    mac: boundedText(17).optional().describe("The MAC address that the first of these interfaces announces."),
    since: z
      .string()
      .meta({ format: "date-time" })
      .optional()
      .describe("Time at which that node began to announce the address."),
    // Not an enum: an object with a cause that a later version writes stays readable.
    cause: boundedText(63)
      .optional()
      .describe(
        `Why that node began to announce the address. ${Object.entries(causeTexts)
          .map(([cause, text]) => `${cause}: ${text}.`)
          .join(" ")}`,
      ),
    observedGeneration: z
      .int()
      .optional()
      .describe(
        "The metadata.generation of the list of owners by which that node announces the address; in a reservation by a user, plus ownersRevision.",
      ),
    conditions: boundedList(conditionSchema, maxConditions)
      .optional()
      .describe(
        "Announceable: whether a node may announce the address. InPool: whether a pool contains it. Conflict: whether another device uses it. RulesWritten: whether the kernel of the announcing node accepts the rules of its Services. Each appears with the first problem.",
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

/** How traffic for the address of a VirtualIP reaches the pods of Services without the annotation, as text. */
export function forwardingTextOf({ spec, status }: Pick<VirtualIP, "spec" | "status">): string | undefined {
  return spec.forwarding ?? status?.forwarding;
}

/** Whether the controller created the VirtualIP, so that its spec is the controller's. The spec of any other one is its user's. */
export function isManaged({ metadata }: Pick<VirtualIP, "metadata">): boolean {
  return metadata.labels[managedByLabel] === managedByController;
}
