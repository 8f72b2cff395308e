import type { IpAddress, IpFamily } from "../ip/address.ts";
import type { EndpointSliceView } from "./endpoint-slice.ts";
import { type ResolvedEndpoint, resolveEndpoints, usableOf } from "./endpoints.ts";
import type { ServicePort } from "./service.ts";

/** A pod, or another entry of an EndpointSlice, that can take connections. */
export interface UsableEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  /** Whether it runs on this node, so that its replies to any client come back through this node. */
  readonly local: boolean;
}

/** The node that connections arrive at. */
export interface ReceivingNode {
  readonly name: string;
  /** Its label topology.kubernetes.io/zone. */
  readonly zone?: string | undefined;
  /** Nodes of which it knows that they are dead, before their EndpointSlices say so. Missing: none. */
  readonly deadNodes?: ReadonlySet<string>;
}

export interface EndpointSelection {
  readonly family: IpFamily;
  readonly port: Pick<ServicePort, "name" | "protocol">;
  readonly node: ReceivingNode;
  /** externalTrafficPolicy Local: only what runs on this node. */
  readonly localOnly: boolean;
}

/** The label of nodes (k8s.io/api/core/v1, LabelTopologyZone). */
export const zoneLabel = "topology.kubernetes.io/zone";

/**
 * Where connections to a port of a Service can go, by kube-proxy's rules (pkg/proxy/topology.go, CategorizeEndpoints, of Kubernetes 1.36).
 * Ready endpoints, and where none is ready, those that terminate and still serve. Under Local the rule is applied to the endpoints of this
 * node alone, whatever their hints. Under Cluster hints narrow the ready ones down. What is on a dead node counts as missing, also
 * for the hints. Sorted, so that every node that sees the same slices and uses the same endpoints has them in the same order.
 */
export function usableEndpoints(
  slices: readonly EndpointSliceView[],
  { family, port, node, localOnly }: EndpointSelection,
): readonly UsableEndpoint[] {
  const endpoints = resolveEndpoints(slices, { family, port });
  const isLocal = ({ nodeName }: ResolvedEndpoint): boolean => nodeName === node.name;
  const living = endpoints.filter((endpoint) => !isOnDeadNode(endpoint, node));
  return select(living, node, localOnly)
    .toSorted((left, right) => compareText(left.text, right.text) || (left.port ?? 0) - (right.port ?? 0))
    .map((endpoint) => ({ address: endpoint.address, port: endpoint.port ?? 0, local: isLocal(endpoint) }));
}

const noNodes: ReadonlySet<string> = new Set();

/**
 * Whether a service proxy that does not know of dead nodes yet may send connections that arrive at this node to an endpoint on one of them.
 * It does until the slices show none of these endpoints as ready any longer, and it has learned that.
 */
export function reachesDeadNode(slices: readonly EndpointSliceView[], selection: EndpointSelection): boolean {
  return nodesReached(slices, selection, selection.node.deadNodes ?? noNodes).size > 0;
}

/** Those of these other nodes to which it may send them. */
export function nodesReached(
  slices: readonly EndpointSliceView[],
  { family, port, node, localOnly }: EndpointSelection,
  among: ReadonlySet<string>,
): ReadonlySet<string> {
  if (localOnly || among.size === 0) return noNodes;
  const chosen = select(resolveEndpoints(slices, { family, port }), node, localOnly);
  return new Set(
    chosen.flatMap(({ nodeName = node.name }) => (nodeName !== node.name && among.has(nodeName) ? [nodeName] : [])),
  );
}

/** No node is dead for itself. */
function isOnDeadNode({ nodeName }: ResolvedEndpoint, { name, deadNodes }: ReceivingNode): boolean {
  return nodeName !== undefined && nodeName !== name && deadNodes?.has(nodeName) === true;
}

function select(
  endpoints: readonly ResolvedEndpoint[],
  node: ReceivingNode,
  localOnly: boolean,
): readonly ResolvedEndpoint[] {
  if (localOnly) return usableOf(endpoints.filter(({ nodeName }) => nodeName === node.name));
  return followHints(usableOf(endpoints), node);
}

/** Which hints are followed: those for the node, those for its zone, or none. */
export type Topology = "node" | "zone" | "none";

/**
 * Hints count only where every ready endpoint has one of that kind, and one of them is for this node, or for its zone; those for nodes come
 * first (pkg/proxy/topology.go, topologyModeFromHints). trafficDistribution and the topology-mode annotation are not read: Kubernetes
 * makes hints of them.
 */
export function topologyOf(endpoints: readonly ResolvedEndpoint[], { name, zone }: ReceivingNode): Topology {
  const ready = endpoints.filter(({ state }) => state === "ready");
  const counts = (hintsOf: (endpoint: ResolvedEndpoint) => readonly string[] | undefined, mine: string): boolean =>
    ready.every((endpoint) => hintsOf(endpoint) !== undefined) &&
    ready.some((endpoint) => hintsOf(endpoint)?.includes(mine));
  if (counts(({ forNodes }) => forNodes, name)) return "node";
  return counts(({ forZones }) => forZones, zone ?? "") ? "zone" : "none";
}

/** Endpoints that are not ready are returned as they are: there is no ready one, and no hint counts. */
function followHints(usable: readonly ResolvedEndpoint[], node: ReceivingNode): readonly ResolvedEndpoint[] {
  switch (topologyOf(usable, node)) {
    case "node":
      return usable.filter(({ forNodes }) => forNodes?.includes(node.name));
    case "zone":
      return usable.filter(({ forZones }) => forZones?.includes(node.zone ?? ""));
    case "none":
      return usable;
  }
}

/** By code unit, so that the locale does not matter. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
