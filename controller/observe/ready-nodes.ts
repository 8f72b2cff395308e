import type { V1EndpointSlice } from "@kubernetes/client-node";
import { NameIndex } from "../../src/index/name-index.ts";
import { serviceNameLabel } from "../../src/model/endpoint-slice.ts";

/** What the controller keeps of an EndpointSlice: on which nodes its ready endpoints are. Far smaller than the whole. */
export interface ReadyNodesView {
  readonly serviceKey: string;
  readonly nodes: readonly string[];
}

/** Undefined where the slice does not belong to a Service, or has no ready endpoint with a node name. */
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

/** The nodes with ready endpoints of each Service, updated slice by slice. */
export class ReadyNodes {
  readonly #slices = new Map<string, ReadyNodesView>();
  readonly #byService = new NameIndex();

  /** Returns the Services whose nodes may have changed: two where the slice moves from one Service to another. */
  put(sliceKey: string, view: ReadyNodesView | undefined): readonly string[] {
    const before = this.#slices.get(sliceKey);
    if (before !== undefined && view !== undefined && sameView(before, view)) return [];
    if (before !== undefined) this.#byService.delete(before.serviceKey, sliceKey);
    if (view === undefined) this.#slices.delete(sliceKey);
    else {
      this.#slices.set(sliceKey, view);
      this.#byService.add(view.serviceKey, sliceKey);
    }
    return [...new Set([before, view].flatMap((one) => one?.serviceKey ?? []))];
  }

  of(serviceKey: string): ReadonlySet<string> {
    const nodes = new Set<string>();
    for (const slice of this.#byService.of(serviceKey)) {
      for (const node of this.#slices.get(slice)?.nodes ?? []) nodes.add(node);
    }
    return nodes;
  }
}

function sameView(left: ReadyNodesView, right: ReadyNodesView): boolean {
  return left.serviceKey === right.serviceKey && left.nodes.join() === right.nodes.join();
}
