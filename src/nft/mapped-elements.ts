import type { NftElement, NftElements } from "./set.ts";

/**
 * Elements that are made each time they are read. Hundreds of thousands of elements at once would take more memory than all that they are made
 * of. What `elementAt` makes of an index must not change.
 */
export class MappedElements implements NftElements {
  readonly length: number;
  readonly #elementAt: (index: number) => NftElement;

  constructor(length: number, elementAt: (index: number) => NftElement) {
    this.length = length;
    this.#elementAt = elementAt;
  }

  *[Symbol.iterator](): Generator<NftElement, void> {
    for (let index = 0; index < this.length; index++) yield this.#elementAt(index);
  }

  /** As an array would be written. */
  toJSON(): readonly NftElement[] {
    return [...this];
  }
}
