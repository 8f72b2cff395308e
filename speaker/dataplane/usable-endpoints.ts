import type { IpAddress, IpFamily } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import { resolveEndpoints, usableOf } from "../../src/model/endpoints.ts";
import type { ServicePort } from "../../src/model/service.ts";

/** A pod, or another entry of an EndpointSlice, that can take connections. */
export interface UsableEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  /** Whether it runs on this node, so that its replies to any client come back through this node. */
  readonly local: boolean;
}

export interface EndpointSelection {
  readonly family: IpFamily;
  readonly port: ServicePort;
  readonly nodeName: string;
  /** externalTrafficPolicy Local: only what runs on this node. */
  readonly localOnly: boolean;
}

/**
 * Where connections to a port of a Service can go, by kube-proxy's rule; under Local the rule is applied to the endpoints of this node
 * alone. Sorted, so that every node that sees the same slices gives each endpoint the same index.
 */
export function usableEndpoints(
  slices: readonly EndpointSliceView[],
  selection: EndpointSelection,
): readonly UsableEndpoint[] {
  const { family, port, nodeName, localOnly } = selection;
  const endpoints = resolveEndpoints(slices, { family, port, ...(localOnly ? { node: nodeName } : {}) });
  return usableOf(endpoints)
    .toSorted((left, right) => compareText(left.text, right.text) || (left.port ?? 0) - (right.port ?? 0))
    .map((endpoint) => ({
      address: endpoint.address,
      port: endpoint.port ?? 0,
      local: endpoint.nodeName === nodeName,
    }));
}

/** By code unit, so that the locale does not matter. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
