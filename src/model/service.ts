import type { V1Condition, V1LoadBalancerIngress, V1Service, V1ServicePort } from "@kubernetes/client-node";
import { loadBalancerClass } from "../api/api.ts";
import {
  addressReadyCondition,
  annotationPrefix,
  controllerFieldManager,
  serviceAnnotations,
  serviceProxyNameLabel,
} from "../api/labels.ts";
import { isMetallbAnnotation, type MetallbCompatibility } from "../api/metallb.ts";
import type { IpFamily } from "../ip/address.ts";
import { shortenDistinctly } from "./bounded-text.ts";
import { annotationField } from "./reason.ts";
import { serviceKeyOf } from "./service-reference.ts";

export type Protocol = "TCP" | "UDP" | "SCTP";

export interface ServicePort {
  /** Empty for a single unnamed port, as in EndpointSlices. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0 when the port has no node port; decide by this and never by allocateLoadBalancerNodePorts. */
  readonly nodePort: number;
}

export interface IngressEntry {
  readonly ip: string;
  readonly ipMode: string;
  readonly ports: readonly { readonly port: number; readonly protocol: string; readonly error?: string }[];
}

/** Bellhop's own condition on a Service, without its time. */
export interface AddressReady {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** What Bellhop reads of a Service, frozen. Exists for Services of type LoadBalancer, and for others while they concern the controller. */
export interface ServiceView {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly createdAtMs: number;
  readonly type: string;
  readonly loadBalancerClass: string | undefined;
  /** Whether that is the class of MetalLB, and this installation serves it. */
  readonly hasMetallbClass: boolean;
  /** Free text: the API server does not validate it. White space around it is left out; at most `maxAnnotationLength`. */
  readonly loadBalancerIP: string | undefined;
  /** Of more than `maxLabels`, only the one that other service proxies are named by. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether `labels` are not all. No selector matches the Service then. */
  readonly hasTooManyLabels: boolean;
  /** Only Bellhop's, and MetalLB's if these are honoured, cut to `maxAnnotationLength`; no valid value is longer. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of annotations that begin like those of Bellhop and are none of them: most are mistyped. At most `maxUnknownAnnotations`. */
  readonly unknownAnnotations: readonly string[];
  readonly ipFamilies: readonly IpFamily[];
  readonly ipFamilyPolicy: string;
  readonly ports: readonly ServicePort[];
  readonly externalTrafficPolicy: "Cluster" | "Local";
  /**
   * Labels of its pods; empty: its EndpointSlices are made by someone else than Kubernetes. One of more than `maxLabels` is replaced by a
   * digest: equal selectors stay equal, and others different.
   */
  readonly selector: Readonly<Record<string, string>>;
  /** Idle timeout in seconds if sessionAffinity is ClientIP. */
  readonly affinityTimeoutSeconds: number | undefined;
  /**
   * From the field, else from the annotation, blanks trimmed; free text. Empty: every client is admitted. Of more than `maxSourceRanges` the
   * rest is replaced by a text that is not a range, so it admits no client.
   */
  readonly sourceRanges: readonly string[];
  /** The field or annotation that they are from, as reasons name it. */
  readonly sourceRangesField: string;
  /** At most `maxExternalIps`. */
  readonly externalIPs: readonly string[];
  /** Only that of load balancers. */
  readonly finalizers: readonly string[];
  /**
   * Whether the API server has recorded that our controller added the finalizer of load balancers. False does not mean that another client
   * did: such records get lost, as by a restore from a backup.
   */
  readonly addedFinalizer: boolean;
  readonly deleting: boolean;
  readonly ingress: readonly IngressEntry[];
  /** Undefined: the Service does not have the condition. */
  readonly addressReady?: AddressReady | undefined;
}

/** The finalizer of Kubernetes: it keeps the Service object until the load balancer is gone (KEP 980). */
export const loadBalancerFinalizer = "service.kubernetes.io/load-balancer-cleanup";

/** Read by cloud providers only, never by kube-proxy (k8s.io/cloud-provider/service/helpers). */
export const sourceRangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** In UTF-16 code units. The API server allows 256 KiB. */
export const maxAnnotationLength = 1_024;

/**
 * The API server limits how large a Service is, and not how many small things it lists: in memory, 1 MB of labels take 5 MB, and 1 MB of
 * external IPs take 10. No Service in use comes near these numbers.
 */
export const maxLabels = 256;
export const maxExternalIps = 256;
export const maxSourceRanges = 10_000;

/** Further ones are left out, so that the message that names them stays short. */
export const maxUnknownAnnotations = 4;

/** `metallb`: set if MetalLB's annotations and class are read, too. */
export function projectService(raw: V1Service, metallb?: Pick<MetallbCompatibility, "loadBalancerClass">): ServiceView {
  const { metadata = {}, spec = {}, status } = raw;
  const namespace = metadata.namespace ?? "";
  const name = metadata.name ?? "";
  const annotations = keepAnnotations(metadata.annotations, metallb !== undefined);
  return Object.freeze({
    key: serviceKeyOf({ namespace, name }),
    namespace,
    name,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    createdAtMs: Date.parse(String(metadata.creationTimestamp)) || 0,
    type: spec.type ?? "ClusterIP",
    loadBalancerClass: spec.loadBalancerClass,
    hasMetallbClass: spec.loadBalancerClass !== undefined && spec.loadBalancerClass === metallb?.loadBalancerClass,
    loadBalancerIP: shortenDistinctly(spec.loadBalancerIP?.trim() ?? "", maxAnnotationLength) || undefined,
    ...boundLabels(metadata.labels ?? nothing),
    annotations,
    unknownAnnotations: findUnknown(metadata.annotations),
    ipFamilies: familiesOf(spec.ipFamilies),
    ipFamilyPolicy: spec.ipFamilyPolicy ?? "SingleStack",
    ports: (spec.ports ?? []).map(projectPort),
    externalTrafficPolicy: spec.externalTrafficPolicy === "Local" ? "Local" : "Cluster",
    selector: boundSelector(spec.selector ?? nothing),
    // 10800 s is the API server's default (pkg/apis/core/types.go, DefaultClientIPServiceAffinitySeconds).
    affinityTimeoutSeconds:
      spec.sessionAffinity === "ClientIP"
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
        : undefined,
    ...sourceRangesOf(spec.loadBalancerSourceRanges, metadata.annotations?.[sourceRangesAnnotation]),
    externalIPs: spec.externalIPs?.slice(0, maxExternalIps) ?? none,
    finalizers: metadata.finalizers?.includes(loadBalancerFinalizer) ? onlyFinalizer : none,
    addedFinalizer: (metadata.managedFields ?? none).some(
      ({ manager, fieldsV1 }) => manager === controllerFieldManager && hasFinalizer(fieldsV1),
    ),
    deleting: metadata.deletionTimestamp !== undefined,
    ingress: (status?.loadBalancer?.ingress ?? []).map(projectIngress),
    addressReady: projectAddressReady(status?.conditions),
  });
}

/** Whether the fields of an entry of metadata.managedFields contain the finalizer (structured-merge-diff, FieldsV1). */
function hasFinalizer(fieldsV1: object | undefined): boolean {
  const { "f:metadata": metadata } = (fieldsV1 ?? {}) as { "f:metadata"?: { "f:finalizers"?: object } };
  return Object.hasOwn(metadata?.["f:finalizers"] ?? {}, `v:${JSON.stringify(loadBalancerFinalizer)}`);
}

/**
 * Whether a Service concerns the controller: it is of type LoadBalancer, may have been, or has external IPs.
 */
export function concernsController(raw: V1Service): boolean {
  return (
    raw.spec?.type === "LoadBalancer" ||
    (raw.metadata?.finalizers ?? []).includes(loadBalancerFinalizer) ||
    projectAddressReady(raw.status?.conditions) !== undefined ||
    (raw.spec?.externalIPs ?? []).length > 0
  );
}

/** The same for all views: with many Services, objects and lists of their own would take megabytes. */
const nothing: Readonly<Record<string, never>> = Object.freeze({});
const none: readonly never[] = Object.freeze([]);
const onlyFinalizer: readonly string[] = Object.freeze([loadBalancerFinalizer]);
const familyLists: readonly (readonly IpFamily[])[] = [["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"]];

function familiesOf(families: readonly string[] = none): readonly IpFamily[] {
  const known = families.filter((family) => family === "IPv4" || family === "IPv6");
  return (
    familyLists.find((list) => list.length === known.length && list.every((family, i) => family === known[i])) ?? known
  );
}

function projectAddressReady(conditions: readonly V1Condition[] | undefined): AddressReady | undefined {
  const found = conditions?.find((condition) => condition.type === addressReadyCondition);
  return found === undefined ? undefined : { status: found.status, reason: found.reason, message: found.message };
}

function keepAnnotations(
  all: Record<string, string> | undefined,
  keepsMetallb: boolean,
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(all ?? nothing)) {
    if (serviceAnnotations.has(key) || (keepsMetallb && isMetallbAnnotation(key)))
      kept[key] = shortenDistinctly(value, maxAnnotationLength);
  }
  return Object.keys(kept).length === 0 ? nothing : kept;
}

function findUnknown(all: Readonly<Record<string, string>> = nothing): readonly string[] {
  const found = Object.keys(all).filter((key) => key.startsWith(annotationPrefix) && !serviceAnnotations.has(key));
  // In order, as the API server sends maps in no order that users choose.
  return found.length === 0 ? none : found.sort().slice(0, maxUnknownAnnotations);
}

function boundLabels(all: Readonly<Record<string, string>>): Pick<ServiceView, "labels" | "hasTooManyLabels"> {
  if (Object.keys(all).length <= maxLabels) return { labels: all, hasTooManyLabels: false };
  const proxy = all[serviceProxyNameLabel];
  return { labels: proxy === undefined ? {} : { [serviceProxyNameLabel]: proxy }, hasTooManyLabels: true };
}

function boundSelector(all: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const pairs = Object.entries(all);
  if (pairs.length <= maxLabels) return all;
  const text = pairs.map(([label, value]) => `${label}=${value}`).sort();
  return { [shortenDistinctly(text.join(), maxAnnotationLength)]: "" };
}

function projectPort(port: V1ServicePort): ServicePort {
  return {
    name: port.name ?? "",
    protocol: (port.protocol ?? "TCP") as Protocol,
    port: port.port,
    nodePort: port.nodePort ?? 0,
  };
}

function sourceRangesOf(
  field: readonly string[] | undefined,
  annotation: string | undefined,
): Pick<ServiceView, "sourceRanges" | "sourceRangesField"> {
  const inSpec = field !== undefined && field.length > 0;
  const all = inSpec ? field : (annotation ?? "").split(",");
  const texts = all.map((text) => text.trim()).filter((text) => text !== "");
  const more = texts.length - maxSourceRanges;
  const ranges = more > 0 ? [...texts.slice(0, maxSourceRanges), `and ${more} more`] : texts;
  return {
    sourceRanges: ranges.length === 0 ? none : ranges,
    sourceRangesField: inSpec ? "spec.loadBalancerSourceRanges" : annotationField(sourceRangesAnnotation),
  };
}

function projectIngress(entry: V1LoadBalancerIngress): IngressEntry {
  return {
    ip: entry.ip ?? "",
    ipMode: entry.ipMode ?? "",
    ports: (entry.ports ?? []).map((port) => ({
      port: port.port,
      protocol: port.protocol,
      ...(port.error === undefined ? {} : { error: port.error }),
    })),
  };
}

/** Whether the class of the Service is Bellhop's, whatever its type. `defaultClass`: whether Services without a class are Bellhop's. */
export function isOurClass(service: ServiceView, defaultClass: boolean): boolean {
  if (service.loadBalancerClass === undefined) return defaultClass;
  return service.loadBalancerClass === loadBalancerClass || service.hasMetallbClass;
}
