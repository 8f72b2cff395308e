import { groupVersion } from "../api/api.ts";
import { metallbGroupVersion } from "../api/metallb.ts";

/** Bellhop's own kinds, by the plural in their paths. */
export type OwnPlural = "ipaddresspools" | "l2advertisements" | "virtualips" | "speakers" | "speakeridentities";

/** Path of a collection of Bellhop's own kinds, or of one object in it; all are cluster-scoped. */
export function ownPath(plural: OwnPlural, name?: string): string {
  const collection = `/apis/${groupVersion}/${plural}`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

/** Path of one of MetalLB's collections, in the namespace of MetalLB. */
export function metallbPath(
  namespace: string,
  plural: "ipaddresspools" | "l2advertisements" | "bgpadvertisements",
): string {
  return `/apis/${metallbGroupVersion}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

export function servicePath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(name)}`;
}

/** Path of one Deployment or DaemonSet. */
export function workloadPath(namespace: string, plural: "deployments" | "daemonsets", name: string): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
}

export function leasePath(namespace: string, name?: string): string {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

export function secretPath(namespace: string, name?: string): string {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

export function eventPath(namespace: string, name?: string): string {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

/** EndpointSlices of one namespace. */
export function endpointSlicesPath(namespace: string): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
}

export function namespacePath(name: string): string {
  return `${collections.namespaces}/${encodeURIComponent(name)}`;
}

/** Collections over all namespaces. */
export const collections = {
  services: "/api/v1/services",
  nodes: "/api/v1/nodes",
  namespaces: "/api/v1/namespaces",
  serviceCidrs: "/apis/networking.k8s.io/v1/servicecidrs",
  endpointSlices: "/apis/discovery.k8s.io/v1/endpointslices",
  daemonSets: "/apis/apps/v1/daemonsets",
} as const;
