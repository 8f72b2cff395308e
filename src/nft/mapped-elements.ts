import type { NftElement, NftElements } from "./set.ts";

/**
 * Elements that are made each time they are read, of items that are each some of them. Hundreds of thousands of elements at once would take more memory
 * than all that they are made of. What `elementsOf` makes of an item must not change.
 */
export class MappedElements<Item> implements NftElements {
  readonly length: number;
  readonly #items: readonly Item[];
  readonly #elementsOf: (item: Item) => readonly NftElement[];

  /** `length`: how many elements the items are. */
  constructor(length: number, items: readonly Item[], elementsOf: (item: Item) => readonly NftElement[]) {
    this.length = length;
    this.#items = items;
    this.#elementsOf = elementsOf;
  }

  *[Symbol.iterator](): Generator<NftElement, void> {
    for (const item of this.#items) for (const element of this.#elementsOf(item)) yield element;
  }

  /** As an array would be written. */
  toJSON(): readonly NftElement[] {
    return [...this];
  }
}
