import { NameIndex } from "../src/index/name-index.ts";
import type { EndpointSliceView } from "../src/model/endpoint-slice.ts";

/** Which slices have endpoints on which node. */
export class SliceNodes {
  readonly #nodes = new Map<string, ReadonlySet<string>>();
  readonly #slices = new NameIndex();

  /** Sets the endpoints of a slice; undefined: it is gone. */
  set(key: string, slice: EndpointSliceView | undefined): void {
    for (const node of this.#nodes.get(key) ?? []) this.#slices.delete(node, key);
    const nodes = new Set((slice?.endpoints ?? []).flatMap(({ nodeName }) => nodeName ?? []));
    for (const node of nodes) this.#slices.add(node, key);
    if (nodes.size > 0) this.#nodes.set(key, nodes);
    else this.#nodes.delete(key);
  }

  /** The slices that have an endpoint on the node. */
  slicesOn(node: string): Iterable<string> {
    return this.#slices.of(node);
  }
}
