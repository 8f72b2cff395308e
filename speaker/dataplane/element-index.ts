import type { NftFamily } from "../../src/nft/transaction.ts";
import type { Element } from "./render.ts";
import type { SetName } from "./tables.ts";

/** Names one element over all tables. */
export interface ElementId {
  readonly family: NftFamily;
  readonly set: SetName;
  readonly key: string;
}

interface DesiredElement extends ElementId {
  /** What each owner wants, by owner. Nearly always one. */
  readonly values: Map<string, string>;
}

/**
 * What should be in the kernel, by element, put together from what each owner (a Service, the interfaces) wants. Remembers which
 * elements changed, so that a change costs what it touches and not what there is. Where two owners want different values the one
 * with the smaller name has it, until it lets go.
 */
export class ElementIndex {
  readonly #slots = new Map<string, DesiredElement>();
  readonly #byOwner = new Map<string, readonly Element[]>();
  #changed = new Map<string, ElementId>();

  get owners(): Iterable<string> {
    return this.#byOwner.keys();
  }

  /** What an owner wants instead of all that it wanted before; nothing: it is gone. */
  set(owner: string, elements: readonly Element[]): void {
    const after = new Map(elements.map((element) => [idText(element), element]));
    for (const element of this.#byOwner.get(owner) ?? []) {
      const text = idText(element);
      if (after.has(text)) continue;
      const slot = this.#slots.get(text);
      slot?.values.delete(owner);
      if (slot?.values.size === 0) this.#slots.delete(text);
      this.#changed.set(text, element);
    }
    for (const [text, element] of after) {
      const { family, set, key, value } = element;
      const slot = this.#slots.get(text) ?? { family, set, key, values: new Map<string, string>() };
      this.#slots.set(text, slot);
      if (slot.values.get(owner) === value) continue;
      slot.values.set(owner, value);
      this.#changed.set(text, element);
    }
    if (after.size > 0) this.#byOwner.set(owner, [...after.values()]);
    else this.#byOwner.delete(owner);
  }

  /** The value that should be there; undefined: nothing should. */
  value(id: ElementId): string | undefined {
    const values = this.#slots.get(idText(id))?.values;
    if (values === undefined) return undefined;
    let best: string | undefined;
    for (const owner of values.keys()) if (best === undefined || owner < best) best = owner;
    return best === undefined ? undefined : values.get(best);
  }

  /** The elements that may differ from what they were at the last call. */
  takeChanged(): readonly ElementId[] {
    const changed = [...this.#changed.values()];
    this.#changed = new Map();
    return changed;
  }

  /** Every element that should be there. */
  *all(): Iterable<ElementId> {
    yield* this.#slots.values();
  }
}

function idText({ family, set, key }: ElementId): string {
  return `${family} ${set} ${key}`;
}
