import { type Data, printData, printRange } from "./data.ts";
import type { DataType } from "./data-type.ts";
import type { PayloadFieldName } from "./field.ts";
import { chainOf, printVerdict, type Verdict } from "./verdict.ts";

/** An example of a value, which says its type: a field of the packet, or an index. */
export type TypeExample = PayloadFieldName | "numgen random mod 2";

/** The declaration of a set, or of a map when it has data. Several types are one concatenation. */
export interface NftSet {
  readonly name: string;
  readonly key: readonly DataType[];
  readonly data?: readonly DataType[] | "verdict";
  /**
   * Examples of the key and of the data. Needed where a type has no name (`integer`): without them, nft 1.0.6 and 1.1.3
   * abort when they list the set. Of a field of TCP or UDP, all rules on the set must name the same one.
   */
  readonly typeof?: { readonly key: readonly TypeExample[]; readonly data?: readonly TypeExample[] };
  /** Its elements are ranges. They must not overlap. */
  readonly interval?: true;
  /** Elements can expire; this is their lifetime in milliseconds where they name none. */
  readonly timeoutMs?: number;
  /** Rules add elements to it. Needs a size then. */
  readonly dynamic?: true;
  /** The most elements that it takes. */
  readonly size?: number;
  readonly comment?: string;
}

/**
 * An element of a set, or of a map when it has data. With `keyEnd`: every key from `key` to `keyEnd`, both included, part by part; only in sets
 * with `interval`.
 */
export interface NftElement {
  readonly key: Data;
  readonly keyEnd?: Data;
  readonly data?: Data | Verdict;
  /** Until it expires; only in sets with `timeoutMs`. */
  readonly timeoutMs?: number;
}

/** Elements of one command: an array, or `PackedElements`. */
export interface NftElements extends Iterable<NftElement> {
  readonly length: number;
}

/** The key in nft's language. */
export function printKey(set: NftSet, { key, keyEnd }: NftElement): string {
  return keyEnd === undefined ? printData(set.key, key) : printRange(set.key, key, keyEnd);
}

/** The data in nft's language; empty in sets. */
export function printElementData(set: NftSet, { data }: NftElement): string {
  if (data === undefined) return "";
  if (typeof data !== "string") return printVerdict(data);
  return set.data === undefined || set.data === "verdict" ? "" : printData(set.data, data);
}

/** The same text for elements with the same key. */
export function keyId({ key, keyEnd }: NftElement): string {
  return keyEnd === undefined ? key : key + keyEnd;
}

/** Whether two elements have the same data. */
export function sameData(left: NftElement, right: NftElement): boolean {
  const [one, other] = [left.data, right.data];
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.kind === other.kind && chainOf(one) === chainOf(other);
}
