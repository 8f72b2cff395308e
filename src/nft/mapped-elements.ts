import type { NftElement, NftElements } from "./set.ts";

/**
 * Elements that are made from other objects each time they are read. Hundreds of thousands of elements at once would take more memory than all that
 * they are made of. The list must not change.
 */
export class MappedElements<Source> implements NftElements {
  readonly #sources: readonly Source[];
  readonly #elementOf: (source: Source) => NftElement;

  constructor(sources: readonly Source[], elementOf: (source: Source) => NftElement) {
    this.#sources = sources;
    this.#elementOf = elementOf;
  }

  get length(): number {
    return this.#sources.length;
  }

  *[Symbol.iterator](): Generator<NftElement, void> {
    for (const source of this.#sources) yield this.#elementOf(source);
  }

  /** As an array would be written. */
  toJSON(): readonly NftElement[] {
    return [...this];
  }
}
