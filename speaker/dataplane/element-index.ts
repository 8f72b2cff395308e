import { type Element, type ElementRef, elementId, sameValue } from "./element.ts";
import { RangeOwners } from "./range-owners.ts";

/** Elements by `elementId`. */
export type ElementsById = ReadonlyMap<string, Element>;

/** Elements that a transaction adds. Not a map: there may be hundreds of thousands. */
export interface AddedElements {
  readonly size: number;
  has(id: string): boolean;
  values(): Iterable<Element>;
}

const none: ElementsById = new Map();

/** What one owner desires of an element. */
interface Desire {
  readonly owner: string;
  readonly element: Element;
}

/**
 * The desired elements in the kernel, combined from those of each owner (a Service, the interfaces). Remembers which elements have changed,
 * and how they were before, so that a change costs only what it touches. If two owners desire different values, the one with the smaller name
 * wins until it releases the element. Of two owners with source ranges of one port, all those of the one with the smaller name count and none of
 * the other: ranges in one set must not overlap.
 */
export class ElementIndex {
  /** What is desired, by element; by owner as well where there are several. Nearly always there is one. */
  readonly #desired = new Map<string, Desire | Map<string, Element>>();
  readonly #byOwner = new Map<string, ElementsById>();
  readonly #ranges = new RangeOwners();
  /** Undefined before `settle` and after `forget`: nothing was desired before, and nothing has to be remembered. */
  #changed: Map<string, Element | undefined> | undefined;

  get owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  /** The elements that an owner desires. */
  elementsOf(owner: string): ElementsById {
    return this.#byOwner.get(owner) ?? none;
  }

  /** The owners that desire an element with this id. */
  ownersOf(id: string): Iterable<string> {
    const desired = this.#desired.get(id);
    if (desired === undefined) return [];
    return desired instanceof Map ? desired.keys() : [desired.owner];
  }

  /** Replaces the elements that an owner desires; empty: the owner is gone. Returns those before. */
  set(owner: string, elements: Iterable<Element>): ElementsById {
    const present = this.elementsOf(owner);
    const after = new Map<string, Element>();
    for (const element of elements) {
      const id = elementId(element);
      const before = present.get(id);
      // What stays the same stays the same object, here and in `#desired`.
      after.set(id, before !== undefined && sameValue(before, element) ? before : element);
    }
    for (const id of present.keys()) {
      if (after.has(id)) continue;
      this.#note(id);
      this.#remove(id, owner);
    }
    for (const [id, element] of after) {
      if (present.get(id) === element) continue;
      this.#note(id);
      this.#put(id, owner, element);
    }
    if (after.size > 0) this.#byOwner.set(owner, after);
    else this.#byOwner.delete(owner);
    for (const { port, before, now } of this.#ranges.set(owner, present, after)) {
      // Those of `owner` itself are noted already: it has gained or lost all of its ranges of the port.
      if (before !== undefined && before !== owner) this.#noteRanges(port, before, true);
      if (now !== undefined && now !== owner) this.#noteRanges(port, now, false);
    }
    return present;
  }

  #put(id: string, owner: string, element: Element): void {
    const desired = this.#desired.get(id);
    if (desired instanceof Map) desired.set(owner, element);
    else if (desired === undefined || desired.owner === owner) this.#desired.set(id, { owner, element });
    else {
      const both: readonly (readonly [string, Element])[] = [
        [desired.owner, desired.element],
        [owner, element],
      ];
      this.#desired.set(id, new Map(both));
    }
  }

  #remove(id: string, owner: string): void {
    const desired = this.#desired.get(id);
    if (!(desired instanceof Map)) this.#desired.delete(id);
    else if (desired.delete(owner) && desired.size === 0) this.#desired.delete(id);
  }

  /** Call it before an element changes. */
  #note(id: string): void {
    if (this.#changed !== undefined && !this.#changed.has(id)) this.#changed.set(id, this.get(id));
  }

  /** The ranges of the port that an owner desires no longer count (`counted`), or count now. */
  #noteRanges(port: string, owner: string, counted: boolean): void {
    for (const [id, element] of this.elementsOf(owner)) {
      if (this.#ranges.portOf(element) !== port || this.#changed?.has(id) !== false) continue;
      this.#changed.set(id, counted ? element : undefined);
    }
  }

  /** The desired element with this id; undefined: none. */
  get(id: string): Element | undefined {
    const desired = this.#desired.get(id);
    return desired === undefined ? undefined : this.#winning(desired);
  }

  #winning(desired: Desire | ReadonlyMap<string, Element>): Element | undefined {
    if ("owner" in desired) {
      const winner = this.#ranges.winnerOf(desired.element);
      return winner === undefined || winner === desired.owner ? desired.element : undefined;
    }
    let best: string | undefined;
    let element: Element | undefined;
    for (const [owner, one] of desired) if (best === undefined || owner < best) [best, element] = [owner, one];
    const winner = element && this.#ranges.winnerOf(element);
    return winner === undefined ? element : desired.get(winner);
  }

  /** The same, by family, set and key. */
  find<Ref extends ElementRef>(ref: Ref): Extract<Element, { readonly set: Ref["set"] }> | undefined {
    // The id holds the set.
    return this.get(elementId(ref)) as Extract<Element, { readonly set: Ref["set"] }> | undefined;
  }

  /**
   * The elements that may have changed since the last call of `settle`, by id, as they were desired then; undefined: they were not. Empty
   * before the first call, and after `forget`.
   */
  get changed(): ReadonlyMap<string, Element | undefined> {
    return this.#changed ?? new Map();
  }

  /** Whether an element with this id was desired at the last call of `settle`. */
  wasSettled(id: string): boolean {
    if (this.#changed === undefined) return false;
    return (this.#changed.has(id) ? this.#changed.get(id) : this.get(id)) !== undefined;
  }

  /** From now on, changes are counted from what is desired now. */
  settle(): void {
    this.#changed = new Map();
  }

  /** Nothing of what is desired is in the kernel, so that changes need not be remembered. */
  forget(): void {
    this.#changed = undefined;
  }

  /** Every desired element. */
  *all(): Iterable<Element> {
    for (const desired of this.#desired.values()) {
      const element = this.#winning(desired);
      if (element !== undefined) yield element;
    }
  }
}
