import type { V1EndpointSlice } from "@kubernetes/client-node";
import { NameIndex } from "../../src/index/name-index.ts";
import { serviceNameLabel } from "../../src/model/endpoint-slice.ts";

/** What the controller keeps of an EndpointSlice: on which nodes its endpoints are that take connections. Far smaller than the whole. */
export interface ReadyNodesView {
  readonly serviceKey: string;
  /** With ready endpoints. */
  readonly nodes: readonly string[];
  /** With endpoints that terminate and still serve. */
  readonly draining: readonly string[];
}

/** Undefined where the slice does not belong to a Service, or has no such endpoint with a node name. */
export function projectReadyNodes(raw: V1EndpointSlice): ReadyNodesView | undefined {
  const name = raw.metadata?.labels?.[serviceNameLabel];
  if (name === undefined || raw.addressType === "FQDN") return undefined;
  const nodes = new Set<string>();
  const draining = new Set<string>();
  for (const { nodeName, conditions } of raw.endpoints ?? []) {
    if (nodeName === undefined) continue;
    // A missing condition means ready, serving and not terminating (discovery/v1 types).
    if (conditions?.ready ?? true) nodes.add(nodeName);
    else if (conditions?.terminating === true && (conditions.serving ?? true)) draining.add(nodeName);
  }
  if (nodes.size + draining.size === 0) return undefined;
  const serviceKey = `${raw.metadata?.namespace ?? ""}/${name}`;
  return Object.freeze({ serviceKey, nodes: [...nodes].sort(), draining: [...draining].sort() });
}

/** The nodes with endpoints of each Service, updated slice by slice. */
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
    return this.#collect(serviceKey, ({ nodes }) => nodes);
  }

  /**
   * The nodes whose endpoints take new connections, by kube-proxy's rule: those with ready endpoints; else those whose endpoints terminate
   * and still serve.
   */
  takingConnections(serviceKey: string): ReadonlySet<string> {
    const ready = this.of(serviceKey);
    return ready.size > 0 ? ready : this.#collect(serviceKey, ({ draining }) => draining);
  }

  #collect(serviceKey: string, nodesOf: (view: ReadyNodesView) => readonly string[]): ReadonlySet<string> {
    const found = new Set<string>();
    for (const slice of this.#byService.of(serviceKey)) {
      const view = this.#slices.get(slice);
      for (const node of view === undefined ? [] : nodesOf(view)) found.add(node);
    }
    return found;
  }
}

function sameView(left: ReadyNodesView, right: ReadyNodesView): boolean {
  return (
    left.serviceKey === right.serviceKey &&
    left.nodes.join() === right.nodes.join() &&
    left.draining.join() === right.draining.join()
  );
}
