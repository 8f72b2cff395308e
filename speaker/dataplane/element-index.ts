import { type Element, type ElementRef, elementId, sameValue } from "./element.ts";

/** Elements by `elementId`. */
export type ElementsById = ReadonlyMap<string, Element>;

/**
 * What should be in the kernel, by element, put together from what each owner (a Service, the interfaces) wants. Remembers which
 * elements changed, so that a change costs what it touches and not what there is. Where two owners want different values, the one
 * with the smaller name wins until it releases the element.
 */
export class ElementIndex {
  /** What each owner wants, by element and owner. Nearly always one owner. */
  readonly #desired = new Map<string, Map<string, Element>>();
  readonly #byOwner = new Map<string, ElementsById>();
  #changed = new Map<string, Element>();

  get owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  /** What an owner wants instead of all that it wanted before; nothing: it is gone. */
  set(owner: string, elements: readonly Element[]): void {
    const after = new Map(elements.map((element) => [elementId(element), element]));
    for (const [id, element] of this.#byOwner.get(owner) ?? []) {
      if (after.has(id)) continue;
      const wanted = this.#desired.get(id);
      wanted?.delete(owner);
      if (wanted?.size === 0) this.#desired.delete(id);
      this.#changed.set(id, element);
    }
    for (const [id, element] of after) {
      const wanted = this.#desired.get(id) ?? new Map<string, Element>();
      this.#desired.set(id, wanted);
      const before = wanted.get(owner);
      if (before !== undefined && sameValue(before, element)) {
        // One object for both maps.
        after.set(id, before);
        continue;
      }
      wanted.set(owner, element);
      this.#changed.set(id, element);
    }
    if (after.size > 0) this.#byOwner.set(owner, after);
    else this.#byOwner.delete(owner);
  }

  /** The element that should be there under this id; undefined: none. */
  get(id: string): Element | undefined {
    const wanted = this.#desired.get(id);
    let best: string | undefined;
    for (const owner of wanted?.keys() ?? []) if (best === undefined || owner < best) best = owner;
    return best === undefined ? undefined : wanted?.get(best);
  }

  /** The same, by family, set and key. */
  find<Ref extends ElementRef>(ref: Ref): Extract<Element, { readonly set: Ref["set"] }> | undefined {
    // The id holds the set.
    return this.get(elementId(ref)) as Extract<Element, { readonly set: Ref["set"] }> | undefined;
  }

  /** The elements that may differ from what they were at the last call. Ask `get` for what they should be now. */
  takeChanged(): ElementsById {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  /** Every element that should be there, with its id. */
  *all(): Iterable<readonly [string, Element]> {
    for (const id of this.#desired.keys()) {
      const element = this.get(id);
      if (element !== undefined) yield [id, element];
    }
  }
}
