import { formatAddress, type IpAddress, type IpFamily, parseAddress } from "../ip/address.ts";
import type { Endpoint, EndpointSliceView } from "./endpoint-slice.ts";

/**
 * The state of an endpoint, by kube-proxy's rule (pkg/proxy/topology.go, CategorizeEndpoints): `ready` takes connections;
 * `draining`, which terminates and still serves, takes them only where no endpoint is ready; `notReady` never does.
 */
export type EndpointState = "ready" | "draining" | "notReady";

const preference: Readonly<Record<EndpointState, number>> = { ready: 2, draining: 1, notReady: 0 };

export function endpointStateOf({ ready, serving, terminating }: Endpoint): EndpointState {
  if (ready) return "ready";
  return serving && terminating ? "draining" : "notReady";
}

/** The items that take connections: the ready ones, or if there are none, the draining ones. */
export function usableOf<Item extends { readonly state: EndpointState }>(items: readonly Item[]): readonly Item[] {
  const ready = items.filter(({ state }) => state === "ready");
  return ready.length > 0 ? ready : items.filter(({ state }) => state === "draining");
}

/** An endpoint with its state, its family, and where it listens. */
export interface ResolvedEndpoint {
  readonly address: IpAddress;
  /** The address in its canonical form. */
  readonly text: string;
  readonly family: IpFamily;
  /** Undefined where the slice has no number for the port, or no port was named. */
  readonly port: number | undefined;
  readonly nodeName: string | undefined;
  readonly state: EndpointState;
}

export interface EndpointQuery {
  /** Missing: both families. */
  readonly family?: IpFamily;
  /** Missing: whatever the port; each address then counts once. */
  readonly port?: { readonly name: string; readonly protocol: string };
  /** Only endpoints on this node. */
  readonly node?: string;
}

/**
 * The endpoints of a Service from all its slices, in no particular order. Ports are matched by name and protocol; their numbers may
 * differ from slice to slice. An address and port that is in two slices counts once, in its better state: while a pod terminates, its
 * address may already belong to a new one. Endpoints whose address is not of the family of their slice are left out.
 */
export function resolveEndpoints(
  slices: readonly EndpointSliceView[],
  { family, port: requested, node }: EndpointQuery,
): readonly ResolvedEndpoint[] {
  const found = new Map<string, ResolvedEndpoint>();
  for (const slice of slices) {
    if (family !== undefined && slice.family !== family) continue;
    for (const port of portsOf(slice, requested)) {
      for (const endpoint of slice.endpoints) {
        const { nodeName } = endpoint;
        if (node !== undefined && nodeName !== node) continue;
        const address = parseAddress(endpoint.address);
        if (address?.family !== slice.family) continue;
        const text = formatAddress(address);
        const key = `${text} ${port ?? ""}`;
        const state = endpointStateOf(endpoint);
        const known = found.get(key);
        if (known !== undefined && preference[known.state] >= preference[state]) continue;
        found.set(key, { address, text, family: slice.family, port, nodeName, state });
      }
    }
  }
  return [...found.values()];
}

function portsOf(slice: EndpointSliceView, requested: EndpointQuery["port"]): readonly (number | undefined)[] {
  if (requested === undefined) return [undefined];
  const { name, protocol } = requested;
  return slice.ports.filter((port) => port.name === name && port.protocol === protocol).map(({ port }) => port);
}
