import type { IpFamily } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import { resolveEndpoints, usableOf } from "../../src/model/endpoints.ts";
import type { ServicePort } from "../../src/model/service.ts";

/** A pod, or whatever else stands in an EndpointSlice, that can take connections. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Whether it runs on this node, so that its answers come by here whatever address the client has. */
  readonly local: boolean;
}

export interface TargetQuery {
  readonly family: IpFamily;
  readonly port: ServicePort;
  readonly nodeName: string;
  /** externalTrafficPolicy Local: only what runs on this node. */
  readonly localOnly: boolean;
}

/**
 * Where connections to a port of a Service can go, by kube-proxy's rule; under Local the rule is applied to the endpoints of this node
 * alone. Sorted, so that every node that sees the same slices gives each target the same slot.
 */
export function usableTargets(slices: readonly EndpointSliceView[], query: TargetQuery): readonly Target[] {
  const { family, port, nodeName, localOnly } = query;
  const endpoints = resolveEndpoints(slices, { family, port, ...(localOnly ? { node: nodeName } : {}) });
  return usableOf(endpoints)
    .map((endpoint) => ({
      address: endpoint.address,
      port: endpoint.port ?? 0,
      local: endpoint.nodeName === nodeName,
    }))
    .sort((left, right) => compareText(left.address, right.address) || left.port - right.port);
}

/** By code unit, whatever the locale. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
