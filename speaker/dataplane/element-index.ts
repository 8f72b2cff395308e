import { blocksOf, type Desire, type Desired, ownDesire } from "./desired.ts";
import type { Element, ElementRef, SetName } from "./element.ts";
import { elementId, idKindOf } from "./element-id.ts";
import {
  elementOf,
  type IdentifiedElement,
  isEndpointId,
  type KeptElement,
  keepElements,
  keptDifference,
  layoutOf,
  mergeKept,
  sameKept,
} from "./kept-element.ts";
import { RangeOwners } from "./range-owners.ts";
import { sharedChange } from "./shared-blocks.ts";

/** What differs of an element; of endpoints only those that do. Undefined: nothing. */
export interface ElementChange {
  readonly id: string;
  readonly gone: KeptElement | undefined;
  readonly come: KeptElement | undefined;
}

const noIds: readonly string[] = [];

/**
 * The desired elements in the kernel, combined from those of each owner (a Service, the interfaces). Remembers which elements have changed,
 * and how they were before, so that a change costs only what it touches. If two owners desire different values, the one with the smaller name
 * wins until it releases the element. Of two owners with source ranges of one port, all those of the one with the smaller name count and none of
 * the other: ranges in one set must not overlap. Endpoints are kept as `keepElements` makes them, and are made again when they are read.
 */
export class ElementIndex {
  /** What is desired, by element; by owner as well where there are several. Nearly always there is one. */
  readonly #desired = new Map<string, Desired>();
  readonly #byOwner = new Map<string, readonly string[]>();
  readonly #ranges = new RangeOwners();
  /** Undefined before `settle` and after `forget`: nothing was desired before, and nothing has to be remembered. */
  #changed: Map<string, KeptElement | undefined> | undefined;
  /** The same of endpoints that several owners had: of each owner that has changed, what it desired. */
  #changedShared = new Map<string, Map<string, KeptElement | undefined>>();

  get owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  /** Whether an owner desires any element. */
  has(owner: string): boolean {
    return this.#byOwner.has(owner);
  }

  /** The elements that an owner desires; with `names` only those of these sets. */
  elementsOf(owner: string, names?: ReadonlySet<SetName>): readonly Element[] {
    return this.keptOf(owner, names).map(({ id, kept }) => elementOf(id, kept));
  }

  /** The same, as they are kept. */
  keptOf(owner: string, names?: ReadonlySet<SetName>): readonly IdentifiedElement[] {
    const elements: IdentifiedElement[] = [];
    for (const id of this.#byOwner.get(owner) ?? noIds) {
      if (names?.has(idKindOf(id).set) === false) continue;
      const desire = ownDesire(this.#desired.get(id), owner);
      if (desire !== undefined) elements.push({ id, kept: desire.kept });
    }
    return elements;
  }

  /** The owners that desire an element with this id. */
  ownersOf(id: string): Iterable<string> {
    const desired = this.#desired.get(id);
    if (desired === undefined) return [];
    return desired instanceof Map ? desired.keys() : [desired.owner];
  }

  /** Replaces the elements that an owner desires; empty: the owner is gone. */
  set(owner: string, elements: Iterable<Element>): void {
    const present = this.#byOwner.get(owner);
    const gone = present && new Set(present);
    const now = keepElements(elements);
    let ports: Set<string> | undefined;
    for (const [id, kept] of now) {
      gone?.delete(id);
      const port = this.#ranges.portOfKept(kept);
      if (port !== undefined) {
        ports ??= new Set();
        ports.add(port);
      }
      const desired = this.#desired.get(id);
      const before = ownDesire(desired, owner);
      if (before !== undefined && sameKept(before.kept, kept)) continue;
      this.#note(id, owner);
      this.#put(id, desired, { owner, kept });
    }
    for (const id of gone ?? noIds) {
      this.#note(id, owner);
      this.#remove(id, owner);
    }
    if (now.size > 0) this.#byOwner.set(owner, [...now.keys()]);
    else this.#byOwner.delete(owner);
    for (const { port, before, now: winner } of this.#ranges.set(owner, ports)) {
      // Those of `owner` itself are noted already: it has gained or lost all of its ranges of the port.
      if (before !== undefined && before !== owner) this.#noteRanges(port, before, true);
      if (winner !== undefined && winner !== owner) this.#noteRanges(port, winner, false);
    }
  }

  #put(id: string, desired: Desired | undefined, desire: Desire): void {
    if (desired instanceof Map) desired.set(desire.owner, desire);
    else if (desired === undefined || desired.owner === desire.owner) this.#desired.set(id, desire);
    else {
      const both: readonly (readonly [string, Desire])[] = [
        [desired.owner, desired],
        [desire.owner, desire],
      ];
      this.#desired.set(id, new Map(both));
    }
  }

  #remove(id: string, owner: string): void {
    const desired = this.#desired.get(id);
    if (!(desired instanceof Map)) this.#desired.delete(id);
    else if (desired.delete(owner) && desired.size === 0) this.#desired.delete(id);
  }

  /** Call it before what an owner desires of an element changes. */
  #note(id: string, owner: string): void {
    if (this.#changed === undefined || this.#changed.has(id)) return;
    const desired = this.#desired.get(id);
    const own = ownDesire(desired, owner)?.kept;
    const shared = this.#changedShared.get(id);
    if (shared !== undefined) {
      if (!shared.has(owner)) shared.set(owner, own);
    } else if (desired instanceof Map && isEndpointId(id)) this.#changedShared.set(id, new Map([[owner, own]]));
    else this.#changed.set(id, this.kept(id));
  }

  /** The ranges of the port that an owner desires no longer count (`counted`), or count now. */
  #noteRanges(port: string, owner: string, counted: boolean): void {
    for (const { id, kept } of this.keptOf(owner)) {
      if (this.#ranges.portOfKept(kept) !== port || this.#changed?.has(id) !== false) continue;
      this.#changed.set(id, counted ? kept : undefined);
    }
  }

  /** The desired element with this id; undefined: none. */
  get(id: string): Element | undefined {
    const kept = this.kept(id);
    return kept === undefined ? undefined : elementOf(id, kept);
  }

  /** The same, as it is kept. */
  kept(id: string): KeptElement | undefined {
    const desired = this.#desired.get(id);
    return desired === undefined ? undefined : this.#winning(id, desired);
  }

  #winning(id: string, desired: Desired): KeptElement | undefined {
    if (!(desired instanceof Map)) {
      const { owner, kept } = desired;
      const winner = this.#ranges.winnerOf(kept);
      return winner === undefined || winner === owner ? kept : undefined;
    }
    const desires = [...desired.values()].sort((one, other) => (one.owner < other.owner ? -1 : 1));
    const [best] = desires;
    const winner = best && this.#ranges.winnerOf(best.kept);
    if (winner !== undefined) return desired.get(winner)?.kept;
    const several = desires.map(({ kept }) => kept);
    return mergeKept(id, several);
  }

  /** The same, by family, set and key. */
  find<Ref extends ElementRef>(ref: Ref): Extract<Element, { readonly set: Ref["set"] }> | undefined {
    // The id holds the set.
    return this.get(elementId(ref)) as Extract<Element, { readonly set: Ref["set"] }> | undefined;
  }

  /** What differs from what was desired at the last call of `settle`. Nothing before the first call, and after `forget`. */
  *changes(): Iterable<ElementChange> {
    for (const [id, before] of this.#changed ?? []) {
      const after = this.kept(id);
      yield { id, gone: keptDifference(id, before, after), come: keptDifference(id, after, before) };
    }
    for (const [id, owners] of this.#changedShared) {
      const desired = this.#desired.get(id);
      const { gone, come } = sharedChange(layoutOf(id), owners.keys(), blocksOf(desired, owners), blocksOf(desired));
      yield { id, gone: gone === "" ? undefined : gone, come: come === "" ? undefined : come };
    }
  }

  /** Whether an element with this id was desired at the last call of `settle`. */
  wasSettled(id: string): boolean {
    if (this.#changed === undefined) return false;
    const shared = this.#changedShared.get(id);
    if (shared !== undefined) return blocksOf(this.#desired.get(id), shared).size > 0;
    return (this.#changed.has(id) ? this.#changed.get(id) : this.kept(id)) !== undefined;
  }

  /** From now on, changes are counted from what is desired now. */
  settle(): void {
    this.#changed = new Map();
    this.#changedShared = new Map();
  }

  /** Nothing of what is desired is in the kernel, so that changes need not be remembered. */
  forget(): void {
    this.#changed = undefined;
    this.#changedShared = new Map();
  }

  /** Every desired element, as it is kept. */
  *all(): Iterable<IdentifiedElement> {
    for (const [id, desired] of this.#desired) {
      const kept = this.#winning(id, desired);
      if (kept !== undefined) yield { id, kept };
    }
  }

  /** Every desired element of these sets. */
  *of(names: ReadonlySet<SetName>): Iterable<Element> {
    for (const { id, kept } of this.all()) if (names.has(idKindOf(id).set)) yield elementOf(id, kept);
  }
}
