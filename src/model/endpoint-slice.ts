import type { V1Endpoint, V1EndpointSlice } from "@kubernetes/client-node";
import { serviceProxyNameLabel } from "../api/labels.ts";
import type { IpFamily } from "../ip/address.ts";
import type { Protocol } from "./service.ts";

export interface Endpoint {
  /** Only the first address of an endpoint counts (k8s.io/api/discovery/v1). */
  readonly address: string;
  /** Undefined is never local. */
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Names of the nodes that its hints are for. Missing: it has no such hints. */
  readonly forNodes?: readonly string[];
  /** The same of zones. */
  readonly forZones?: readonly string[];
}

export interface EndpointPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** What Bellhop reads of one EndpointSlice, frozen. A Service may have many; ports are matched by name and protocol. */
export interface EndpointSliceView {
  /** `namespace/name` of the slice. */
  readonly key: string;
  /** `namespace/name` of its Service, from the label kubernetes.io/service-name. */
  readonly serviceKey: string;
  readonly family: IpFamily;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export const serviceNameLabel = "kubernetes.io/service-name";

/** kube-proxy's own selectors: no slices of headless Services, none that another service proxy serves. */
export const endpointSliceSelector = `!service.kubernetes.io/headless,!${serviceProxyNameLabel}`;

/** Undefined for a slice without a Service or of addressType FQDN, which has no semantics. */
export function projectEndpointSlice(raw: V1EndpointSlice): EndpointSliceView | undefined {
  const namespace = raw.metadata?.namespace ?? "";
  const serviceName = raw.metadata?.labels?.[serviceNameLabel];
  if (serviceName === undefined || (raw.addressType !== "IPv4" && raw.addressType !== "IPv6")) return undefined;
  return Object.freeze({
    key: `${namespace}/${raw.metadata?.name ?? ""}`,
    serviceKey: `${namespace}/${serviceName}`,
    family: raw.addressType,
    ports: (raw.ports ?? []).flatMap((port) =>
      port.port === undefined || port.port === 0
        ? []
        : [{ name: port.name ?? "", protocol: (port.protocol ?? "TCP") as Protocol, port: port.port }],
    ),
    endpoints: (raw.endpoints ?? []).flatMap(projectEndpoint),
  });
}

/** A missing condition means ready, serving and not terminating (pkg/proxy/endpointslicecache.go, addEndpoints). */
function projectEndpoint({ addresses, nodeName, conditions, hints }: V1Endpoint): readonly Endpoint[] {
  const address = addresses[0];
  if (address === undefined) return [];
  return [
    {
      address,
      nodeName,
      ready: conditions?.ready ?? true,
      serving: conditions?.serving ?? true,
      terminating: conditions?.terminating ?? false,
      ...(hints?.forNodes?.length ? { forNodes: hints.forNodes.map(({ name }) => name) } : {}),
      ...(hints?.forZones?.length ? { forZones: hints.forZones.map(({ name }) => name) } : {}),
    },
  ];
}
