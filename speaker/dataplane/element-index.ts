import { type Element, type ElementRef, elementId, sameValue } from "./element.ts";
import { RangeOwners } from "./range-owners.ts";

/** Elements by `elementId`. */
export type ElementsById = ReadonlyMap<string, Element>;

const none: ElementsById = new Map();

/**
 * The desired elements in the kernel, combined from those of each owner (a Service, the interfaces). Remembers which elements have changed,
 * so that a change costs only what it touches. If two owners desire different values, the one with the smaller name wins until it
 * releases the element. Of two owners with source ranges of one port, all those of the one with the smaller name count and none of the other:
 * ranges in one set must not overlap.
 */
export class ElementIndex {
  /** What each owner desires, by element and owner. Nearly always one owner. */
  readonly #desired = new Map<string, Map<string, Element>>();
  readonly #byOwner = new Map<string, ElementsById>();
  readonly #ranges = new RangeOwners();
  readonly #changed = new Map<string, Element>();

  get owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  /** The elements that an owner desires. */
  elementsOf(owner: string): ElementsById {
    return this.#byOwner.get(owner) ?? none;
  }

  /** The owners that desire an element with this id. */
  ownersOf(id: string): Iterable<string> {
    return this.#desired.get(id)?.keys() ?? [];
  }

  /** Replaces the elements that an owner desires; empty: the owner is gone. Returns those before. */
  set(owner: string, elements: Iterable<Element>): ElementsById {
    const present = this.elementsOf(owner);
    const after = new Map<string, Element>();
    for (const element of elements) after.set(elementId(element), element);
    for (const [id, element] of present) {
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
    for (const { port, owners } of this.#ranges.set(owner, present, after)) this.#noteRanges(port, owners);
    return present;
  }

  /** The owner whose ranges of the port count has changed. */
  #noteRanges(port: string, owners: readonly string[]): void {
    for (const owner of owners)
      for (const [id, element] of this.elementsOf(owner))
        if (this.#ranges.portOf(element) === port) this.#changed.set(id, element);
  }

  /** The desired element with this id; undefined: none. */
  get(id: string): Element | undefined {
    const desired = this.#desired.get(id);
    let best: string | undefined;
    let element: Element | undefined;
    for (const [owner, one] of desired ?? []) if (best === undefined || owner < best) [best, element] = [owner, one];
    const winner = element && this.#ranges.winnerOf(element);
    return winner === undefined ? element : desired?.get(winner);
  }

  /** The same, by family, set and key. */
  find<Ref extends ElementRef>(ref: Ref): Extract<Element, { readonly set: Ref["set"] }> | undefined {
    // The id holds the set.
    return this.get(elementId(ref)) as Extract<Element, { readonly set: Ref["set"] }> | undefined;
  }

  /** The elements that may have changed since the last call of `clearChanged`. `get` returns their desired state. */
  get changed(): ElementsById {
    return this.#changed;
  }

  clearChanged(): void {
    this.#changed.clear();
  }

  /** Every desired element, with its id. */
  *all(): Iterable<readonly [string, Element]> {
    for (const id of this.#desired.keys()) {
      const element = this.get(id);
      if (element !== undefined) yield [id, element];
    }
  }
}
