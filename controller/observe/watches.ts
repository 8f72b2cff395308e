import type { V1EndpointSlice, V1Lease, V1Namespace, V1Node, V1Service, V1ServiceCIDR } from "@kubernetes/client-node";
import { type IPAddressPool, ipAddressPoolSchema } from "../../src/api/ip-address-pool.ts";
import { type L2Advertisement, l2AdvertisementSchema } from "../../src/api/l2-advertisement.ts";
import { componentLabel, speakerComponent } from "../../src/api/labels.ts";
import { isMetallbAnnotation } from "../../src/api/metallb.ts";
import { type Speaker, speakerSchema } from "../../src/api/speaker.ts";
import { type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import type { Clock, Random } from "../../src/clock/clock.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import type { KubeMetrics } from "../../src/kube/metrics.ts";
import { parseObject } from "../../src/kube/parse-object.ts";
import { collections, leasePath, metallbPath, ownPath } from "../../src/kube/path.ts";
import { createReflector, type Reflector, type ReflectorOptions } from "../../src/kube/reflector.ts";
import type { InvalidObject } from "../../src/kube/view-store.ts";
import type { Logger } from "../../src/log/log.ts";
import { endpointSliceSelector } from "../../src/model/endpoint-slice.ts";
import { projectSpeakerLease, type SpeakerLeaseView } from "../../src/model/lease.ts";
import { type NamespaceView, projectNamespace } from "../../src/model/namespace.ts";
import { type NodeView, projectNode } from "../../src/model/node.ts";
import { concernsController, projectService, type ServiceView } from "../../src/model/service.ts";
import { projectServiceCidr, type ServiceCidrView } from "../../src/model/service-cidr.ts";
import { JoinedReflector } from "./joined-reflector.ts";
import { projectMetallbPool } from "./metallb-pool.ts";
import { projectReadyNodes, type ReadyNodesView } from "./ready-nodes.ts";

/** One collection of the API server, and what is kept of its objects. */
export interface Source<View> {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The API server may not have the collection at all; it is empty then. */
  readonly optional?: boolean;
  readonly project: ReflectorOptions<View>["project"];
  /** Another collection that is seen as part of this one, by name alone; what both have is as this one has it. */
  readonly also?: Source<View>;
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

type ViewOf<From> = From extends Source<infer View> ? View : never;

/** The same, watched. */
export type Watches = { readonly [Resource in WatchedResource]: Reflector<ViewOf<Sources[Resource]>> };

/** What is there of each resource at this moment, wherever it was read. */
export type Watched = {
  readonly [Resource in WatchedResource]: { readonly views: ReadonlyMap<string, ViewOf<Sources[Resource]>> };
};

export interface WatchesOptions {
  readonly client: ApiClient;
  /** Where the Leases of the speakers are. */
  readonly namespace: string;
  /** Where MetalLB's pools and advertisements are; undefined: nothing of MetalLB is read. */
  readonly metallbNamespace: string | undefined;
  readonly onChange: (resource: WatchedResource, key: string) => void;
  readonly onInvalid: (resource: WatchedResource, key: string, fault: InvalidObject | undefined, raw: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/**
 * `namespace`: where the Leases of the speakers are. `metallbNamespace`: where MetalLB's pools and advertisements are, which then
 * count besides ours, and so do its annotations.
 */
export function createSources(namespace: string, metallbNamespace?: string): Sources {
  const keepsToo = metallbNamespace === undefined ? undefined : isMetallbAnnotation;
  const metallb = <View>(
    plural: "ipaddresspools" | "l2advertisements",
    project: Source<View>["project"],
  ): Pick<Source<View>, "also"> =>
    metallbNamespace === undefined
      ? {}
      : { also: { path: metallbPath(metallbNamespace, plural), optional: true, project } };
  return {
    services: {
      path: collections.services,
      project: (raw) => (concernsController(raw as V1Service) ? projectService(raw as V1Service, keepsToo) : undefined),
    },
    pools: {
      path: ownPath("ipaddresspools"),
      project: parseObject("IPAddressPool", ipAddressPoolSchema),
      ...metallb<IPAddressPool>("ipaddresspools", projectMetallbPool),
    },
    advertisements: {
      path: ownPath("l2advertisements"),
      project: parseObject("L2Advertisement", l2AdvertisementSchema),
      ...metallb("l2advertisements", parseObject("MetalLB's L2Advertisement", l2AdvertisementSchema)),
    },
    virtualIps: { path: ownPath("virtualips"), project: parseObject("VirtualIP", virtualIpSchema) },
    speakers: { path: ownPath("speakers"), project: parseObject("Speaker", speakerSchema) },
    nodes: { path: collections.nodes, project: (raw) => projectNode(raw as V1Node) },
    slices: {
      path: collections.endpointSlices,
      query: { labelSelector: endpointSliceSelector },
      project: (raw) => projectReadyNodes(raw as V1EndpointSlice),
    },
    leases: {
      path: leasePath(namespace),
      query: { labelSelector: `${componentLabel}=${speakerComponent}` },
      project: (raw) => projectSpeakerLease(raw as V1Lease),
    },
    namespaces: { path: collections.namespaces, project: (raw) => projectNamespace(raw as V1Namespace) },
    serviceCidrs: {
      path: collections.serviceCidrs,
      optional: true,
      project: (raw) => projectServiceCidr(raw as V1ServiceCIDR),
    },
  };
}

/** Reflectors that do not run yet. */
export function createWatches(options: WatchesOptions): Watches {
  const { client, clock, random, log, metrics } = options;
  const reflect = <View>(name: string, source: Source<View>, told: Told): Reflector<View> =>
    createReflector({
      client,
      resource: name,
      path: source.path,
      query: source.query ?? {},
      optional: source.optional ?? false,
      project: source.project,
      ...told,
      clock,
      random,
      log,
      metrics,
    });
  const watch = <Resource extends WatchedResource>(
    resource: Resource,
    source: Source<ViewOf<Sources[Resource]>>,
  ): Reflector<ViewOf<Sources[Resource]>> => {
    const onChange = (key: string): void => options.onChange(resource, key);
    const onInvalid: Told["onInvalid"] = (key, fault, raw) => options.onInvalid(resource, key, fault, raw);
    if (source.also === undefined) return reflect(resource, source, { onChange, onInvalid });
    const joined = new JoinedReflector<ViewOf<Sources[Resource]>>(onChange);
    const changed = (key: string): void => joined.changed(key);
    joined.join(
      reflect(resource, source, { onChange: changed, onInvalid }),
      reflect(`${resource} of others`, source.also, { onChange: changed, keyOf: nameOf }),
    );
    return joined;
  };
  const sources = createSources(options.namespace, options.metallbNamespace);
  return {
    services: watch("services", sources.services),
    pools: watch("pools", sources.pools),
    advertisements: watch("advertisements", sources.advertisements),
    virtualIps: watch("virtualIps", sources.virtualIps),
    speakers: watch("speakers", sources.speakers),
    nodes: watch("nodes", sources.nodes),
    slices: watch("slices", sources.slices),
    leases: watch("leases", sources.leases),
    namespaces: watch("namespaces", sources.namespaces),
    serviceCidrs: watch("serviceCidrs", sources.serviceCidrs),
  };
}

type Told = Pick<ReflectorOptions<unknown>, "onChange" | "onInvalid" | "keyOf">;

/** The key of an object that is seen as one without namespace. */
export function nameOf(raw: unknown): string {
  return (raw as { metadata?: { name?: string } }).metadata?.name ?? "";
}

export function eachWatch(watches: Watches): readonly (readonly [WatchedResource, Reflector<unknown>])[] {
  return Object.entries(watches) as [WatchedResource, Reflector<unknown>][];
}
