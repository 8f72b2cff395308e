import type { Data } from "./data.ts";
import type { NftElement, NftElements } from "./set.ts";

/** Lengths in bytes, the same for all elements. */
export interface PackedLengths {
  readonly key: number;
  /** 0 in sets. */
  readonly data: number;
}

/**
 * Elements in strings of several: each key with its data behind it. Takes far less memory than as many objects, and is encoded without making these. For
 * elements without ranges, verdicts and timeouts.
 */
export class PackedElements implements NftElements {
  readonly length: number;
  readonly lengths: PackedLengths;
  readonly strings: readonly Data[];

  constructor(lengths: PackedLengths, strings: readonly Data[]) {
    this.lengths = lengths;
    this.strings = strings;
    this.length = strings.reduce((sum, { length }) => sum + length, 0) / (lengths.key + lengths.data);
  }

  *[Symbol.iterator](): Generator<NftElement, void> {
    const { key, data } = this.lengths;
    for (const string of this.strings) {
      for (let at = 0; at < string.length; at += key + data) {
        const own = string.slice(at, at + key);
        yield data === 0 ? { key: own } : { key: own, data: string.slice(at + key, at + key + data) };
      }
    }
  }

  /** As an array would be written. */
  toJSON(): readonly NftElement[] {
    return [...this];
  }
}
