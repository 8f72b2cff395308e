import type { V1EndpointSlice, V1Lease, V1Namespace, V1Node, V1Service, V1ServiceCIDR } from "@kubernetes/client-node";
import { type IPAddressPool, ipAddressPoolSchema } from "../../src/api/ip-address-pool.ts";
import { type L2Advertisement, l2AdvertisementSchema } from "../../src/api/l2-advertisement.ts";
import { componentLabel, speakerComponent } from "../../src/api/labels.ts";
import type { MetallbCompatibility } from "../../src/api/metallb.ts";
import { type Speaker, speakerSchema } from "../../src/api/speaker.ts";
import { type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import { parseObject } from "../../src/kube/parse-object.ts";
import { collections, leasePath, metallbPath, ownPath } from "../../src/kube/path.ts";
import type { ReflectorOptions } from "../../src/kube/reflector.ts";
import { endpointSliceSelector } from "../../src/model/endpoint-slice.ts";
import { projectSpeakerLease, type SpeakerLeaseView } from "../../src/model/lease.ts";
import { type NamespaceView, projectNamespace } from "../../src/model/namespace.ts";
import { type NodeView, projectNode } from "../../src/model/node.ts";
import { concernsController, projectService, type ServiceView } from "../../src/model/service.ts";
import { projectServiceCidr, type ServiceCidrView } from "../../src/model/service-cidr.ts";
import { projectMetallbAdvertisement } from "./metallb-advertisement.ts";
import { projectMetallbPool } from "./metallb-pool.ts";
import { projectReadyNodes, type ReadyNodesView } from "./ready-nodes.ts";

/** One collection of the API server, and what is kept of its objects. */
export interface Source<View> {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /**
   * Whether a list may be as old as an API server's cache; it must be the newest, if missing. A stale list is no worse than a watch that
   * is late, which everything here is made for; those that decide which addresses are taken are nevertheless read as they are in etcd.
   */
  readonly freshness?: "cached";
  /** The API server may not have the collection at all. It is empty then. */
  readonly optional?: boolean;
  readonly project: ReflectorOptions<View>["project"];
  /** A collection shown as part of this one, keyed by name alone. Where both have a name, this one counts. */
  readonly fallback?: Source<View>;
}

/** Everything that the controller reads. */
export interface Sources {
  readonly services: Source<ServiceView>;
  readonly pools: Source<IPAddressPool>;
  readonly advertisements: Source<L2Advertisement>;
  readonly virtualIps: Source<VirtualIP>;
  readonly speakers: Source<Speaker>;
  readonly nodes: Source<NodeView>;
  readonly slices: Source<ReadyNodesView>;
  readonly leases: Source<SpeakerLeaseView>;
  readonly namespaces: Source<NamespaceView>;
  /** Empty where the API server is older than 1.33. */
  readonly serviceCidrs: Source<ServiceCidrView>;
}

export type WatchedResource = keyof Sources;

/** What is kept of each object of a source. */
export type ViewOf<From> = From extends Source<infer View> ? View : never;

/** The views of each resource at this moment, whether watched or listed once. */
export type Watched = {
  readonly [Resource in WatchedResource]: { readonly views: ReadonlyMap<string, ViewOf<Sources[Resource]>> };
};

/** What else the sources depend on. */
export interface SourceOptions {
  /** MetalLB's pools, advertisements, annotations and class count beside ours. Undefined: they do not. */
  readonly metallb?: MetallbCompatibility | undefined;
  /** Whether nodes that are labelled as excluded from load balancers take part all the same. */
  readonly ignoreExcludeLabel?: boolean | undefined;
}

/** `namespace`: where the Leases of the speakers are. */
export function createSources(namespace: string, { metallb, ignoreExcludeLabel }: SourceOptions): Sources {
  const ofMetallb = <View>(
    plural: "ipaddresspools" | "l2advertisements",
    project: Source<View>["project"],
  ): Pick<Source<View>, "fallback"> =>
    metallb === undefined
      ? {}
      : { fallback: { path: metallbPath(metallb.namespace, plural), optional: true, project } };
  return {
    services: {
      path: collections.services,
      project: (raw) => (concernsController(raw as V1Service) ? projectService(raw as V1Service, metallb) : undefined),
    },
    pools: {
      path: ownPath("ipaddresspools"),
      project: parseObject(ipAddressPoolSchema),
      ...ofMetallb<IPAddressPool>("ipaddresspools", projectMetallbPool),
    },
    advertisements: {
      path: ownPath("l2advertisements"),
      project: parseObject(l2AdvertisementSchema),
      ...ofMetallb("l2advertisements", projectMetallbAdvertisement),
    },
    virtualIps: { path: ownPath("virtualips"), project: parseObject(virtualIpSchema) },
    speakers: { path: ownPath("speakers"), freshness: "cached", project: parseObject(speakerSchema) },
    nodes: {
      path: collections.nodes,
      freshness: "cached",
      project: (raw) => projectNode(raw as V1Node, ignoreExcludeLabel),
    },
    slices: {
      path: collections.endpointSlices,
      freshness: "cached",
      query: { labelSelector: endpointSliceSelector },
      project: (raw) => projectReadyNodes(raw as V1EndpointSlice),
    },
    leases: {
      path: leasePath(namespace),
      freshness: "cached",
      query: { labelSelector: `${componentLabel}=${speakerComponent}` },
      project: (raw) => projectSpeakerLease(raw as V1Lease),
    },
    namespaces: {
      path: collections.namespaces,
      freshness: "cached",
      project: (raw) => projectNamespace(raw as V1Namespace),
    },
    serviceCidrs: {
      path: collections.serviceCidrs,
      optional: true,
      project: (raw) => projectServiceCidr(raw as V1ServiceCIDR),
    },
  };
}

/** The key of an object that is treated as if it had no namespace. */
export function nameOf(raw: unknown): string {
  return (raw as { metadata?: { name?: string } }).metadata?.name ?? "";
}

/** The key of an object of MetalLB among objects that cannot be used: different from that of ours with the same name. */
export function foreignKey(name: string): string {
  return `metallb/${name}`;
}
