import { formatAddress, type IpAddress, type IpFamily, parseAddress } from "../ip/address.ts";
import type { Endpoint, EndpointSliceView } from "./endpoint-slice.ts";

/**
 * The state of an endpoint, by kube-proxy's rule (pkg/proxy/topology.go, CategorizeEndpoints): `ready` takes connections;
 * `draining`, which terminates and still serves, takes them only where no endpoint is ready; `notReady` never does.
 */
export type EndpointState = "ready" | "draining" | "notReady";

const stateRank: Readonly<Record<EndpointState, number>> = { ready: 2, draining: 1, notReady: 0 };

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
  /** Whether its pod is being deleted. */
  readonly terminating: boolean;
  /** Names of nodes and zones in its hints. Missing: none. */
  readonly forNodes?: readonly string[];
  readonly forZones?: readonly string[];
}

export interface EndpointQuery {
  /** Missing: both families. */
  readonly family?: IpFamily;
  /** Missing: whatever the port; each address then counts once. */
  readonly port?: { readonly name: string; readonly protocol: string };
}

/**
 * The endpoints of a Service from all its slices, in no particular order. Ports are matched by name and protocol; their numbers may
 * differ from slice to slice. An address and port that is in two slices counts once: while a pod terminates, its address may already
 * belong to a new one, so the one that does not terminate counts (pkg/proxy/endpointslicecache.go, addEndpoints); of two such ones the
 * one in the better state. Endpoints whose address is not of the family of their slice are left out.
 */
export function resolveEndpoints(
  slices: readonly EndpointSliceView[],
  { family, port: requested }: EndpointQuery,
): readonly ResolvedEndpoint[] {
  // By port, and by address.
  const ports = new Map<number | undefined, Map<string, ResolvedEndpoint>>();
  for (const slice of slices) {
    if (family !== undefined && slice.family !== family) continue;
    for (const port of portsOf(slice, requested)) {
      const found = ports.get(port) ?? new Map<string, ResolvedEndpoint>();
      ports.set(port, found);
      for (const endpoint of slice.endpoints) {
        const address = parseAddress(endpoint.address);
        if (address?.family !== slice.family) continue;
        // IPv4 is parsed in its canonical form only.
        const text = slice.family === "IPv4" ? endpoint.address : formatAddress(address);
        const { nodeName, terminating, forNodes, forZones } = endpoint;
        const state = endpointStateOf(endpoint);
        const known = found.get(text);
        if (known !== undefined && !replaces({ state, terminating }, known)) continue;
        const resolved = { address, text, family: slice.family, port, nodeName, state, terminating };
        const hasHints = forNodes !== undefined || forZones !== undefined;
        const hints = hasHints && { ...(forNodes && { forNodes }), ...(forZones && { forZones }) };
        found.set(text, hints === false ? resolved : { ...resolved, ...hints });
      }
    }
  }
  return [...ports.values()].flatMap((found) => [...found.values()]);
}

type Rank = Pick<ResolvedEndpoint, "state" | "terminating">;

function replaces(one: Rank, known: Rank): boolean {
  if (one.terminating !== known.terminating) return known.terminating;
  return stateRank[one.state] > stateRank[known.state];
}

function portsOf(slice: EndpointSliceView, requested: EndpointQuery["port"]): readonly (number | undefined)[] {
  if (requested === undefined) return [undefined];
  const { name, protocol } = requested;
  return slice.ports.filter((port) => port.name === name && port.protocol === protocol).map(({ port }) => port);
}
