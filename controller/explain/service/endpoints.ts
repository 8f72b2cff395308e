import { forwardingAnnotation } from "../../../src/api/labels.ts";
import type { IpFamily } from "../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import { type EndpointState, resolveEndpoints, usableOf } from "../../../src/model/endpoints.ts";
import { decideForwarding, type ForwardingDecision } from "../../../src/model/forwarding.ts";
import { listSome } from "../../../src/model/list-some.ts";
import type { ServicePort, ServiceView } from "../../../src/model/service.ts";
import { type ReceivingNode, reachesDeadNode, topologyOf } from "../../../src/model/usable-endpoints.ts";
import type { AddressPart, NodeEndpoints, PortPart } from "./explanation.ts";

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

/** Where a connection to each port goes. `announcer`: undefined where no node announces; with its dead nodes if it steps in for kube-proxy. */
export function explainPorts(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  addresses: readonly Pick<AddressPart, "address" | "forwarding">[],
  receiver: Receiver,
  announcer: ReceivingNode | undefined,
): readonly PortPart[] {
  return service.ports.map((port) => {
    const facts = { receiver, deadNodes: deadNodesOf(service, slices, port, announcer) };
    const paths = describePaths(service, port, addresses, facts);
    const hints = describeHints(service, slices, port, announcer);
    const { protocol, name, nodePort } = port;
    return {
      port: port.port,
      protocol,
      name,
      nodePort,
      path: `${paths}${hints}`,
      ready: countReady(service, slices, port),
    };
  });
}

/** What decides the way, besides the Service and the pool. */
interface PathFacts {
  readonly receiver: Receiver;
  /** Dead nodes whose pods kube-proxy may still choose. */
  readonly deadNodes: readonly string[];
}

/** Its addresses may be of pools with different forwarding. */
function describePaths(
  service: ServiceView,
  port: ServicePort,
  addresses: readonly Pick<AddressPart, "address" | "forwarding">[],
  facts: PathFacts,
): string {
  const paths = addresses.map(({ forwarding }) => describePath(service, port, facts, forwarding));
  const [first = describePath(service, port, facts, undefined)] = paths;
  if (paths.every((path) => path === first)) return first;
  return paths.map((path, index) => `${addresses[index]?.address}: ${path}`).join("; ");
}

/** What the nodes know alone is not: which ports are new to their kube-proxy, and which of their addresses are on an interface. */
function describePath(
  service: ServiceView,
  port: ServicePort,
  { receiver, deadNodes }: PathFacts,
  forwarding: AddressPart["forwarding"],
): string {
  if (receiver === "own node") return proxyRules;
  const facts = {
    nodePortUsable: receiver === "node ports",
    kubeProxyLate: false,
    deadEndpoints: deadNodes.length > 0,
    poolForwarding: forwarding?.mode,
  };
  const decision = decideForwarding(service, port, facts);
  return describeDecision(service, port, decision, { poolObject: forwarding?.from ?? "", deadNodes });
}

/** The dead nodes with endpoints of the port, if kube-proxy at the announcing node may choose one of these. */
function deadNodesOf(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  port: ServicePort,
  node: ReceivingNode | undefined,
): readonly string[] {
  if (node === undefined) return [];
  const localOnly = service.externalTrafficPolicy === "Local";
  const found = service.ipFamilies
    .filter((family) => reachesDeadNode(slices, { family, port, node, localOnly }))
    .flatMap((family) => resolveEndpoints(slices, { family, port }))
    .flatMap(({ nodeName, state }) => (state === "notReady" ? [] : (nodeName ?? [])))
    .filter((name) => name !== node.name && node.deadNodes?.has(name) === true);
  return [...new Set(found)].sort();
}

const proxyRules = "kube-proxy's own rules for the address";

function describeDecision(
  service: ServiceView,
  { nodePort }: ServicePort,
  decision: ForwardingDecision,
  about: CauseFacts,
): string {
  const local = service.externalTrafficPolicy === "Local";
  const why = describeCause(service, decision, about);
  switch (decision.way) {
    case "nodeport":
      return `node port ${nodePort} of the announcing node, then through kube-proxy to a pod${local ? " on that node" : ""}${why}`;
    case "pods":
      return `directly to a pod${local ? " on the announcing node" : ""}${why}`;
    case "kube-proxy":
      return `${proxyRules}${why}`;
  }
}

interface CauseFacts extends Pick<PathFacts, "deadNodes"> {
  /** The object that sets the forwarding of the address. */
  readonly poolObject: string;
}

function describeCause(
  { affinityTimeoutSeconds }: ServiceView,
  { way, cause }: ForwardingDecision,
  { poolObject, deadNodes }: CauseFacts,
): string {
  switch (cause) {
    case "requested":
    case "pool": {
      const source = cause === "pool" ? `spec.forwarding of ${poolObject}` : forwardingAnnotation;
      const limits =
        "open connections end when this node port or the mode changes, and path MTU messages are not translated";
      return ` (${source}: ${way}${way === "nodeport" ? `; ${limits}` : ""})`;
    }
    case "sctp":
      return " (SCTP)";
    case "no node port":
      return " (it has no node port)";
    case "node port not usable":
      return " (its announcing node cannot take its node port)";
    case "kube-proxy late":
      return " (until kube-proxy has the change)";
    case "dead node":
      return ` (while kube-proxy may choose pods of ${listSome(deadNodes)}, which ${deadNodes.length === 1 ? "is" : "are"} dead)`;
    case "node port":
      return affinityTimeoutSeconds === undefined
        ? ", which are those of its node port; new connections go directly to a pod while kube-proxy may not have a change yet"
        : ", which are those of its node port";
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
