import type { V1Condition, V1LoadBalancerIngress, V1Service, V1ServicePort } from "@kubernetes/client-node";
import { loadBalancerClass } from "../api/api.ts";
import { addressReadyCondition, controllerFieldManager, serviceAnnotations } from "../api/labels.ts";
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
  /** Free text: the API server does not validate it. */
  readonly loadBalancerIP: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Only Bellhop's, the source-ranges annotation, and MetalLB's if these are honoured. All but the source ranges are cut to
   * `maxAnnotationLength`; no valid value is longer.
   */
  readonly annotations: Readonly<Record<string, string>>;
  readonly ipFamilies: readonly IpFamily[];
  readonly ipFamilyPolicy: string;
  readonly ports: readonly ServicePort[];
  readonly externalTrafficPolicy: "Cluster" | "Local";
  /** Labels of its pods; empty: its EndpointSlices are made by someone else than Kubernetes. */
  readonly selector: Readonly<Record<string, string>>;
  /** Idle timeout in seconds if sessionAffinity is ClientIP. */
  readonly affinityTimeoutSeconds: number | undefined;
  /** From the field, else from the annotation, blanks trimmed; free text. Empty: every client is admitted. */
  readonly sourceRanges: readonly string[];
  /** The field or annotation that they are from, as reasons name it. */
  readonly sourceRangesField: string;
  readonly externalIPs: readonly string[];
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
    loadBalancerIP: spec.loadBalancerIP === "" ? undefined : spec.loadBalancerIP,
    labels: metadata.labels ?? nothing,
    annotations,
    ipFamilies: familiesOf(spec.ipFamilies),
    ipFamilyPolicy: spec.ipFamilyPolicy ?? "SingleStack",
    ports: (spec.ports ?? []).map(projectPort),
    externalTrafficPolicy: spec.externalTrafficPolicy === "Local" ? "Local" : "Cluster",
    selector: spec.selector ?? nothing,
    // 10800 s is the API server's default (pkg/apis/core/types.go, DefaultClientIPServiceAffinitySeconds).
    affinityTimeoutSeconds:
      spec.sessionAffinity === "ClientIP"
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
        : undefined,
    ...sourceRangesOf(spec.loadBalancerSourceRanges, annotations[sourceRangesAnnotation]),
    externalIPs: spec.externalIPs ?? none,
    finalizers: metadata.finalizers ?? none,
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
    // A cut list of source ranges could admit more clients than the whole one.
    if (key === sourceRangesAnnotation) kept[key] = value;
    else if (serviceAnnotations.has(key) || (keepsMetallb && isMetallbAnnotation(key)))
      kept[key] = shortenDistinctly(value, maxAnnotationLength);
  }
  return Object.keys(kept).length === 0 ? nothing : kept;
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
  const texts = inSpec ? field : (annotation ?? "").split(",");
  const ranges = texts.map((text) => text.trim()).filter((text) => text !== "");
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
