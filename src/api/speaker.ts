import { z } from "zod";
import { type IpFamily, ipFamilies } from "../ip/address.ts";
import {
  boundedList,
  boundedText,
  conditionSchema,
  maxConditions,
  maxInterfaceNameLength,
  maxInterfaces,
  maxNameLength,
  metadataSchema,
} from "./api.ts";
import { drainAnnotation } from "./labels.ts";

/** How many addresses one interface may have in the report, and how many announced addresses a speaker lists. */
export const maxInterfaceAddresses = 256;
export const maxAnnouncing = 1_000;
export const maxGateways = 32;

export const speakerInterfaceSchema = z.object({
  name: boundedText(maxInterfaceNameLength).describe("Name of the interface."),
  mac: boundedText(64).describe("MAC address, in lower case with colons."),
  up: z.boolean().describe("Whether the interface has a carrier."),
  addresses: boundedList(boundedText(64), maxInterfaceAddresses).describe(
    "Addresses with prefix length, for example 192.0.2.11/24.",
  ),
  cannotServe: boundedList(
    z.object({
      family: z.enum(ipFamilies).describe("The IP family."),
      reason: z
        .enum(["ForwardingDisabled", "ReversePathFilterStrict"])
        .describe("Why the node drops requests that arrive at the interface."),
    }),
    2,
  )
    .optional()
    .describe(
      "IP families that the interface cannot serve, because of settings of the node. Addresses of these families are announced by other nodes, if there are any.",
    ),
});

/** The speaker reads the owners of reservations from their status. Those before it read them from the spec alone. */
export const statusOwnersFeature = "StatusOwners";

/** Connections go straight to pods of live nodes while kube-proxy may send them to a dead one, except with `--kube-proxy-delay-seconds=0`. */
export const avoidsDeadNodesFeature = "AvoidsDeadNodes";

/** So do those to ports with session affinity: the speaker's node learns whom kube-proxy sends where. */
export const learnsAffinityFeature = "LearnsAffinity";

const speakerFeaturesSchema = z.object({
  bootNonce: boundedText(128).describe("The bootNonce of the speaker that wrote this."),
  names: boundedList(boundedText(63), 64).describe("Names of the features."),
});

/** How many Services a speaker lists whose rules its kernel refuses. */
export const maxRefusedServices = 100;

const speakerReadinessSchema = z.object({
  bootNonce: boundedText(128).describe("The bootNonce of the speaker that wrote this."),
  families: boundedList(boundedText(8), 8).describe("The IP families of which the node can serve addresses."),
  refusedServices: boundedList(boundedText(317), maxRefusedServices)
    .default([])
    .describe("Services whose rules the kernel of the node refuses, as namespace/name. The first 100."),
});

/** How many other nodes a speaker lists that it hears, or that it counts as dead. */
export const maxPeers = 256;

const speakerPeersSchema = z.object({
  bootNonce: boundedText(128).describe("The bootNonce of the speaker that wrote this."),
  hearing: boundedList(boundedText(maxNameLength), maxPeers)
    .default([])
    .describe(
      "Nodes whose speakers this one hears, and which hear others and can serve addresses. The controller does not move addresses away from them.",
    ),
  lost: boundedList(boundedText(maxNameLength), maxPeers)
    .default([])
    .describe(
      "Nodes that this speaker counts as dead: neither it nor another speaker hears them, or nothing arrives there.",
    ),
  deadNodes: boundedList(boundedText(maxNameLength), maxPeers)
    .optional()
    .describe(
      "Nodes that are dead as a whole, not only their speakers, that receive nothing, or that are frozen: this node sends no connections to their endpoints.",
    ),
  frozenNodes: boundedList(boundedText(maxNameLength), maxPeers)
    .optional()
    .describe("Those of them whose kernel answers, and where no program does."),
});
/** Which other nodes a speaker hears, and which it counts as dead. */
export type SpeakerPeers = Omit<z.infer<typeof speakerPeersSchema>, "bootNonce">;

export const speakerStatusSchema = z
  .object({
    version: boundedText(128).optional().describe("Version of the speaker."),
    bootNonce: boundedText(128).optional().describe("Random text that changes at each start of the speaker."),
    features: speakerFeaturesSchema
      .optional()
      .describe(
        "What the speaker can do that earlier versions cannot. Counts while its bootNonce is that of the speaker: an earlier version leaves the field as it is.",
      ),
    readiness: speakerReadinessSchema
      .optional()
      .describe(
        "Which addresses the node can serve. The controller prefers nodes that can. Counts while its bootNonce is that of the speaker.",
      ),
    peers: speakerPeersSchema
      .optional()
      .describe(
        "Which other speakers this one hears, by heartbeats. Counts while its bootNonce is that of the speaker, and the speaker renews its Lease.",
      ),
    kernel: boundedText(128).optional().describe("Kernel release of the node."),
    interfaces: boundedList(speakerInterfaceSchema, maxInterfaces)
      .default([])
      .describe("Network interfaces of the node."),
    gateways: boundedList(boundedText(45), maxGateways)
      .default([])
      .describe("Routers of the default routes of the node. Pools do not assign their addresses."),
    announcing: boundedList(boundedText(45), 20_000)
      .default([])
      .describe("Addresses that the node announces now, at most the first 1000. announcingCount is exact."),
    announcingCount: z.int().optional().describe("Number of addresses that the node announces now."),
    conditions: boundedList(conditionSchema, maxConditions)
      .optional()
      .describe(
        "What may keep the node from serving addresses. False means that something is wrong. RulesWritten: the rules of both families can be written. Answering: the speaker answers ARP requests and neighbor solicitations. Forwarding: the kernel forwards packets. ReversePathFilter: it accepts the packets of clients. StrictArp: it does not answer ARP requests for the addresses of Services. NodeAddress: the addresses of the Node are on its interfaces. NodePorts: node ports are open where Services are forwarded by them. ServiceProxy: a service proxy takes the connections that are left to it. ForwardPolicy: no chain of a firewall drops forwarded packets by its policy; Unknown if one does, because its rules may accept them. ConnectionTracking: the table of tracked connections has space. Heartbeats: the speaker has the key of heartbeats, and other speakers use the same.",
      ),
  })
  .describe("What the speaker reports. The speaker writes it.");

/** One per node, named after it, written only by the speaker of that node. Its Lease shows that the speaker is alive. */
export const speakerSchema = z.object({ metadata: metadataSchema, status: speakerStatusSchema.optional() });
export type Speaker = z.infer<typeof speakerSchema>;

/** Whether the speaker that last reported has the feature. Undefined: it has not reported yet. */
export function hasFeature({ status }: Speaker, feature: string): boolean | undefined {
  if (status?.bootNonce === undefined) return undefined;
  return status.features?.bootNonce === status.bootNonce && status.features.names.includes(feature);
}

/** Whether the node can serve addresses of the family. A speaker that does not say so, of an earlier version, can. */
export function isReadyFor({ status }: Speaker, family: IpFamily): boolean {
  const readiness = currentReadiness(status);
  return readiness === undefined || readiness.families.includes(family);
}

/** The Services whose rules the kernel of the node refuses, as `namespace/name`. */
export function refusedServicesOf({ status }: Speaker): readonly string[] {
  return currentReadiness(status)?.refusedServices ?? [];
}

/** Which other nodes the speaker hears, and which it counts as dead. Undefined: it does not report that. */
export function peersOf({ status }: Speaker): SpeakerPeers | undefined {
  return status?.peers?.bootNonce === status?.bootNonce ? status?.peers : undefined;
}

/** The nodes whose endpoints take no connections at this node, because they are dead. */
export function deadNodesOf(speaker: Speaker): ReadonlySet<string> {
  return new Set(peersOf(speaker)?.deadNodes);
}

/** Those of them that are frozen: their kernel answers, and no program does. */
export function frozenNodesOf(speaker: Speaker): ReadonlySet<string> {
  return new Set(peersOf(speaker)?.frozenNodes);
}

/** Whether the addresses of the node are to be announced by other nodes. */
export function isDrained({ metadata }: Speaker): boolean {
  return metadata.annotations[drainAnnotation] === "true";
}

/** An earlier version that takes over the object leaves the field as it is. */
function currentReadiness(status: Speaker["status"]) {
  return status?.readiness?.bootNonce === status?.bootNonce ? status?.readiness : undefined;
}

/** Name of the Lease that the speaker of a node renews, in Bellhop's own namespace. */
export function speakerLeaseName(node: string): string {
  return `speaker-${node}`;
}

/** metav1.OwnerReference. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What makes the garbage collector of Kubernetes delete an object together with the Node. */
export function ownedByNode(name: string, uid: string): readonly OwnerReference[] {
  return [{ apiVersion: "v1", kind: "Node", name, uid }];
}
