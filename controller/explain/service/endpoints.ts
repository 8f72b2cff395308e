import type { IpFamily } from "../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import { type EndpointState, resolveEndpoints, usableOf } from "../../../src/model/endpoints.ts";
import { forwardingOf } from "../../../src/model/forwarding.ts";
import type { ServicePort, ServiceView } from "../../../src/model/service.ts";
import { type ReceivingNode, topologyOf } from "../../../src/model/usable-endpoints.ts";
import type { NodeEndpoints, PortPart } from "./explanation.ts";

/** Counts endpoints by family and node; an endpoint that is in several slices counts once. */
export function countEndpoints(slices: readonly EndpointSliceView[]): readonly NodeEndpoints[] {
  const counts = new Map<string, { -readonly [Field in keyof NodeEndpoints]: NodeEndpoints[Field] }>();
  for (const { family, nodeName, state } of resolveEndpoints(slices, {})) {
    const key = `${family} ${nodeName ?? ""}`;
    const count = counts.get(key) ?? { family, node: nodeName, ready: 0, draining: 0, notReady: 0 };
    count[state]++;
    counts.set(key, count);
  }
  return [...counts].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, count]) => count);
}

/**
 * Nodes with endpoints that take connections, by kube-proxy's rule; under externalTrafficPolicy Local the rule is applied to each
 * node by itself.
 */
export function usableNodes(
  endpoints: readonly NodeEndpoints[],
  family: IpFamily,
  policy: ServiceView["externalTrafficPolicy"],
): ReadonlySet<string | undefined> {
  const states = endpoints
    .filter((count) => count.family === family)
    .map(({ node, ready, draining }) => ({ node, state: stateOf(ready, draining) }));
  const usable = policy === "Local" ? states.filter(({ state }) => state !== "notReady") : usableOf(states);
  return new Set(usable.map(({ node }) => node));
}

function stateOf(ready: number, draining: number): EndpointState {
  return ready > 0 ? "ready" : draining > 0 ? "draining" : "notReady";
}

/** What receives the packets: an announcer with or without node ports, or each node at its own address. */
export type Receiver = "node ports" | "no node ports" | "own node";

/** Where a connection to each port goes. `announcer`: undefined where no node announces. */
export function explainPorts(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  receiver: Receiver,
  announcer: ReceivingNode | undefined,
): readonly PortPart[] {
  return service.ports.map((port) => ({
    port: port.port,
    protocol: port.protocol,
    name: port.name,
    nodePort: port.nodePort,
    path: `${describePath(service, port, receiver)}${describeHints(service, slices, port, announcer)}`,
    ready: countReady(service, slices, port),
  }));
}

function describePath(service: ServiceView, port: ServicePort, receiver: Receiver): string {
  const local = service.externalTrafficPolicy === "Local";
  switch (receiver === "own node" ? "kube-proxy" : forwardingOf(service, port, receiver === "node ports")) {
    case "nodeport":
      return `node port ${port.nodePort} of the announcing node, then through kube-proxy to a pod${local ? " on that node" : ""}`;
    case "pods":
      return `directly to a pod${local ? " on the announcing node" : ""}`;
    case "kube-proxy":
      return "kube-proxy's own rules for the address";
  }
}

/** Hints narrow down where connections go, by kube-proxy's rules and ours alike; under Local nothing reads them. */
function describeHints(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  port: ServicePort,
  node: ReceivingNode | undefined,
): string {
  if (node === undefined || service.externalTrafficPolicy === "Local") return "";
  const parts = service.ipFamilies.map((family) => {
    const topology = topologyOf(resolveEndpoints(slices, { family, port }), node);
    return topology === "none" ? "" : `${topology} ${topology === "node" ? node.name : node.zone}`;
  });
  const found = new Set(parts.filter((text) => text !== ""));
  return found.size === 0 ? "" : `, of those with a hint for ${[...found].join(" or ")}`;
}

function countReady(service: ServiceView, slices: readonly EndpointSliceView[], port: ServicePort): PortPart["ready"] {
  const counts = service.ipFamilies.map((family) => {
    const endpoints = resolveEndpoints(slices, { family, port });
    const ready = new Set(endpoints.filter(({ state }) => state === "ready").map(({ address }) => address));
    return [family, ready.size] as const;
  });
  return Object.fromEntries(counts);
}
