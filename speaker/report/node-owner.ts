import { type OwnerReference, ownedByNode } from "../../src/api/speaker.ts";
import type { NodeView } from "../../src/model/node.ts";

/** The Node as the owner of the objects that its speaker writes: they are deleted together with it. */
export class NodeOwner {
  readonly #node: string;
  readonly #nodes: { readonly views: ReadonlyMap<string, NodeView> };
  #observedUid: string | undefined;

  /** `nodes`: what is watched of Nodes, by name. */
  constructor(node: string, nodes: { readonly views: ReadonlyMap<string, NodeView> }) {
    this.#node = node;
    this.#nodes = nodes;
  }

  /** Undefined while the Node is not known. */
  get references(): readonly OwnerReference[] | undefined {
    const uid = this.#uid ?? "";
    return uid === "" ? undefined : ownedByNode(this.#node, uid);
  }

  /** Call it when the Node has changed. Returns whether it is another Node of the same name, or no longer exists. */
  nodeChanged(): boolean {
    const before = this.#observedUid;
    this.#observedUid = this.#uid;
    return this.#observedUid !== before;
  }

  get #uid(): string | undefined {
    return this.#nodes.views.get(this.#node)?.uid;
  }
}
