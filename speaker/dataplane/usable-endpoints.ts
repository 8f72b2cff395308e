import { formatAddress, type IpFamily, parseAddress } from "../../src/ip/address.ts";
import type { Endpoint, EndpointSliceView } from "../../src/model/endpoint-slice.ts";
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

interface Candidate extends Target {
  readonly usable: "ready" | "draining";
}

/**
 * Where connections to a port of a Service can go, as kube-proxy decides it: the ready endpoints; if there is none, those that
 * terminate and still serve; under Local both questions are asked for this node alone. Ports are matched by name and protocol,
 * their numbers may differ from slice to slice. What stands in two slices counts once. Sorted, so that every node that sees the
 * same slices gives each target the same slot.
 */
export function usableTargets(slices: readonly EndpointSliceView[], query: TargetQuery): readonly Target[] {
  const candidates = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.family !== query.family) continue;
    const ports = slice.ports.filter(
      ({ name, protocol }) => name === query.port.name && protocol === query.port.protocol,
    );
    for (const { port } of ports) {
      for (const endpoint of slice.endpoints) {
        const candidate = candidateOf(endpoint, port, query);
        if (candidate === undefined) continue;
        const key = `${candidate.address} ${candidate.port}`;
        // One that does not terminate wins over one that does: the address was given to a new pod.
        if (candidates.get(key)?.usable !== "ready") candidates.set(key, candidate);
      }
    }
  }
  const all = [...candidates.values()];
  const ready = all.filter((candidate) => candidate.usable === "ready");
  return (ready.length > 0 ? ready : all)
    .map(({ address, port, local }) => ({ address, port, local }))
    .sort((left, right) => compareText(left.address, right.address) || left.port - right.port);
}

function candidateOf(endpoint: Endpoint, port: number, query: TargetQuery): Candidate | undefined {
  const usable = endpoint.ready ? "ready" : endpoint.serving && endpoint.terminating ? "draining" : undefined;
  const local = endpoint.nodeName === query.nodeName;
  const address = parseAddress(endpoint.address);
  if (usable === undefined || (query.localOnly && !local) || address?.family !== query.family) return undefined;
  return { address: formatAddress(address), port, local, usable };
}

/** By code unit, whatever the locale. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
