import { type IpFamily, parseAddress } from "../../../src/ip/address.ts";
import type { Endpoint, EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import { forwardingOf } from "../../../src/model/forwarding.ts";
import type { ServicePort, ServiceView } from "../../../src/model/service.ts";
import type { NodeEndpoints, PortPart } from "./explanation.ts";

/** Counts endpoints by family and node; an endpoint that stands in several slices counts once. */
export function countEndpoints(slices: readonly EndpointSliceView[]): readonly NodeEndpoints[] {
  const counts = new Map<string, { -readonly [Field in keyof NodeEndpoints]: NodeEndpoints[Field] }>();
  for (const [family, endpoint] of uniqueEndpoints(slices, () => true)) {
    const key = `${family} ${endpoint.nodeName ?? ""}`;
    const count = counts.get(key) ?? { family, node: endpoint.nodeName, ready: 0, draining: 0, notReady: 0 };
    if (endpoint.ready) count.ready++;
    else if (isDraining(endpoint)) count.draining++;
    else count.notReady++;
    counts.set(key, count);
  }
  return [...counts].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, count]) => count);
}

/** Nodes with endpoints that take connections: the ready ones, or where there is none those that end and still serve. */
export function usableNodes(endpoints: readonly NodeEndpoints[], family: IpFamily): ReadonlySet<string | undefined> {
  const own = endpoints.filter((count) => count.family === family);
  const ready = own.filter((count) => count.ready > 0);
  const usable = ready.length > 0 ? ready : own.filter((count) => count.draining > 0);
  return new Set(usable.map((count) => count.node));
}

/** Who gets the packets: an announcer with or without node ports, or each node at its own address. */
export type Receiver = "node ports" | "no node ports" | "own node";

/** What becomes of a connection to each port. */
export function explainPorts(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  receiver: Receiver,
): readonly PortPart[] {
  return service.ports.map((port) => ({
    port: port.port,
    protocol: port.protocol,
    name: port.name,
    nodePort: port.nodePort,
    way: wayOf(service, port, receiver),
    ready: countReady(service, slices, port),
  }));
}

function wayOf(service: ServiceView, port: ServicePort, receiver: Receiver): string {
  const local = service.externalTrafficPolicy === "Local";
  switch (receiver === "own node" ? "kube-proxy" : forwardingOf(service, port, receiver === "node ports")) {
    case "nodeport":
      return `node port ${port.nodePort} of the announcing node, from where kube-proxy takes it to a pod${local ? " of that node" : ""}`;
    case "pods":
      return `straight to a pod${local ? " of the announcing node" : ""}`;
    case "kube-proxy":
      return "kube-proxy's own rules for the address";
  }
}

function countReady(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  { name, protocol }: ServicePort,
): PortPart["ready"] {
  const hasPort = (slice: EndpointSliceView): boolean =>
    slice.ports.some((port) => port.name === name && port.protocol === protocol);
  const all = [...uniqueEndpoints(slices, hasPort)];
  const counts = service.ipFamilies.map((family) => {
    return [family, all.filter(([own, endpoint]) => own === family && endpoint.ready).length] as const;
  });
  return Object.fromEntries(counts);
}

function uniqueEndpoints(
  slices: readonly EndpointSliceView[],
  wanted: (slice: EndpointSliceView) => boolean,
): Iterable<readonly [IpFamily, Endpoint]> {
  const found = new Map<string, readonly [IpFamily, Endpoint]>();
  for (const slice of slices.filter(wanted)) {
    for (const endpoint of slice.endpoints) {
      const family = parseAddress(endpoint.address)?.family ?? slice.family;
      // One that does not terminate wins over one that does: the address was given to a new pod.
      if (found.get(endpoint.address)?.[1].ready !== true) found.set(endpoint.address, [family, endpoint]);
    }
  }
  return found.values();
}

function isDraining(endpoint: Endpoint): boolean {
  return endpoint.serving && endpoint.terminating;
}
