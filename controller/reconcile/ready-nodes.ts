import type { V1EndpointSlice } from "@kubernetes/client-node";
import { serviceNameLabel } from "../../src/model/endpoint-slice.ts";

/** All that the controller needs of an EndpointSlice: where ready endpoints are. Far smaller than the whole. */
export interface ReadyNodesView {
  readonly serviceKey: string;
  readonly nodes: readonly string[];
}

/** Undefined where the slice belongs to no Service or has no ready endpoint on a known node. */
export function projectReadyNodes(raw: V1EndpointSlice): ReadyNodesView | undefined {
  const name = raw.metadata?.labels?.[serviceNameLabel];
  if (name === undefined || raw.addressType === "FQDN") return undefined;
  const nodes = new Set<string>();
  for (const endpoint of raw.endpoints ?? []) {
    // A missing condition means ready (discovery/v1 types).
    if (endpoint.nodeName !== undefined && (endpoint.conditions?.ready ?? true)) nodes.add(endpoint.nodeName);
  }
  if (nodes.size === 0) return undefined;
  return Object.freeze({ serviceKey: `${raw.metadata?.namespace ?? ""}/${name}`, nodes: [...nodes].sort() });
}

/** The nodes with ready endpoints by Service, kept slice by slice. */
export class ReadyNodes {
  readonly #slices = new Map<string, ReadyNodesView>();
  readonly #byService = new Map<string, Set<string>>();

  /** Gives the Service whose nodes may have changed. */
  put(sliceKey: string, view: ReadyNodesView | undefined): string | undefined {
    const before = this.#slices.get(sliceKey);
    if (before !== undefined && view !== undefined && before.nodes.join() === view.nodes.join()) return undefined;
    if (before !== undefined) this.#byService.get(before.serviceKey)?.delete(sliceKey);
    if (before !== undefined && this.#byService.get(before.serviceKey)?.size === 0) {
      this.#byService.delete(before.serviceKey);
    }
    if (view === undefined) this.#slices.delete(sliceKey);
    else {
      this.#slices.set(sliceKey, view);
      const slices = this.#byService.get(view.serviceKey) ?? new Set();
      slices.add(sliceKey);
      this.#byService.set(view.serviceKey, slices);
    }
    return (view ?? before)?.serviceKey;
  }

  of(serviceKey: string): ReadonlySet<string> {
    const nodes = new Set<string>();
    for (const slice of this.#byService.get(serviceKey) ?? []) {
      for (const node of this.#slices.get(slice)?.nodes ?? []) nodes.add(node);
    }
    return nodes;
  }
}
