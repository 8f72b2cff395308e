import { type Element, type ElementRef, elementId, sameValue } from "./element.ts";

/** Elements by `elementId`. */
export type ElementsById = ReadonlyMap<string, Element>;

/**
 * The desired elements in the kernel, combined from those of each owner (a Service, the interfaces). Remembers which elements have changed,
 * so that a change costs only what it touches. If two owners desire different values, the one with the smaller name wins until it
 * releases the element.
 */
export class ElementIndex {
  /** What each owner desires, by element and owner. Nearly always one owner. */
  readonly #desired = new Map<string, Map<string, Element>>();
  readonly #byOwner = new Map<string, ElementsById>();
  #changed = new Map<string, Element>();

  get owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  /** Replaces the elements that an owner desires; empty: the owner is gone. */
  set(owner: string, elements: readonly Element[]): void {
    const after = new Map(elements.map((element) => [elementId(element), element]));
    for (const [id, element] of this.#byOwner.get(owner) ?? []) {
      if (after.has(id)) continue;
      const desired = this.#desired.get(id);
      desired?.delete(owner);
      if (desired?.size === 0) this.#desired.delete(id);
      this.#changed.set(id, element);
    }
    for (const [id, element] of after) {
      const desired = this.#desired.get(id) ?? new Map<string, Element>();
      this.#desired.set(id, desired);
      const before = desired.get(owner);
      if (before !== undefined && sameValue(before, element)) {
        // One object for both maps.
        after.set(id, before);
        continue;
      }
      desired.set(owner, element);
      this.#changed.set(id, element);
    }
    if (after.size > 0) this.#byOwner.set(owner, after);
    else this.#byOwner.delete(owner);
  }

  /** The desired element with this id; undefined: none. */
  get(id: string): Element | undefined {
    const desired = this.#desired.get(id);
    let best: string | undefined;
    for (const owner of desired?.keys() ?? []) if (best === undefined || owner < best) best = owner;
    return best === undefined ? undefined : desired?.get(best);
  }

  /** The same, by family, set and key. */
  find<Ref extends ElementRef>(ref: Ref): Extract<Element, { readonly set: Ref["set"] }> | undefined {
    // The id holds the set.
    return this.get(elementId(ref)) as Extract<Element, { readonly set: Ref["set"] }> | undefined;
  }

  /** The elements that may have changed since the last call. `get` returns their desired state. */
  takeChanged(): ElementsById {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  /** Every desired element, with its id. */
  *all(): Iterable<readonly [string, Element]> {
    for (const id of this.#desired.keys()) {
      const element = this.get(id);
      if (element !== undefined) yield [id, element];
    }
  }
}
