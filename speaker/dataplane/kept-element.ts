import type { Data } from "../../src/nft/data.ts";
import { PackedElements } from "../../src/nft/packed-elements.ts";
import type { NftElement, NftElements } from "../../src/nft/set.ts";
import { type Element, nftElement, nftKey, type PlainElement, type SetName, sameValue } from "./element.ts";
import { elementId, idKindOf, keyOfId } from "./element-id.ts";
import {
  type BlockLayout,
  blockDifference,
  blockLayoutOf,
  type EndpointBlock,
  hasEndpoints,
  isEndpointSet,
  makeBlock,
  mergeBlocks,
  readBlock,
} from "./endpoint-block.ts";

/** An element beside its id. Its endpoints are in the kernel's bytes, in a block that is never empty. */
export type KeptElement = PlainElement | EndpointBlock;

/** An element, as it is kept, with its id. */
export interface IdentifiedElement {
  readonly id: string;
  readonly kept: KeptElement;
}

/**
 * What to keep of elements, by id. Of two with the same id the last one counts, but their endpoints are put together: two ports of a Service may lead
 * to the same ones.
 */
export function keepElements(elements: Iterable<Element>): ReadonlyMap<string, KeptElement> {
  const all = new Map<string, KeptElement>();
  for (const element of elements) {
    const id = elementId(element);
    if (!hasEndpoints(element)) all.set(id, element);
    else if (element.value.length > 0) {
      const block = makeBlock(element, keyOfId(id));
      const known = all.get(id);
      all.set(id, typeof known === "string" ? mergeBlocks(layoutOf(id), [known, block]) : block);
    }
  }
  return all;
}

/** Of the endpoints with this id. Throws RangeError for another element. */
export function layoutOf(id: string): BlockLayout {
  const { family, set } = idKindOf(id);
  return blockLayoutOf(family, set);
}

/** Whether it is the id of endpoints. */
export function isEndpointId(id: string): boolean {
  return isEndpointSet(idKindOf(id).set);
}

/** The element again. */
export function elementOf(id: string, kept: KeptElement): Element {
  return typeof kept === "string" ? readBlock(layoutOf(id), keyOfId(id), kept) : kept;
}

/** How many elements of the kernel it is. */
export function keptSize({ id, kept }: IdentifiedElement): number {
  return typeof kept === "string" ? new PackedElements(layoutOf(id), [kept]).length : 1;
}

/** Elements of one set in the kernel's bytes. */
export function keptNftElements(elements: readonly IdentifiedElement[]): NftElements {
  const [first] = elements;
  if (typeof first?.kept !== "string")
    return elements.flatMap(({ kept }) => (typeof kept === "string" ? [] : [nftElement(kept)]));
  const blocks = elements.flatMap(({ kept }) => (typeof kept === "string" ? [kept] : []));
  return new PackedElements(layoutOf(first.id), blocks);
}

/** The keys of one element: as for a deletion. */
export function keptNftKeys({ id, kept }: IdentifiedElement): readonly NftElement[] {
  if (typeof kept !== "string") return [nftKey(kept)];
  return Array.from(new PackedElements(layoutOf(id), [kept]), ({ key }) => ({ key }));
}

/** Whether one of the kernel's elements has one of these keys. */
export function hasKeyAmong(element: IdentifiedElement, keys: ReadonlySet<Data>): boolean {
  return keptNftKeys(element).some(({ key }) => keys.has(key));
}

/** Whether two elements of the same set have the same value, and endpoints in the same order. */
export function sameKept(left: KeptElement, right: KeptElement): boolean {
  return typeof left === "string" || typeof right === "string" ? left === right : sameValue(left, right);
}

/** What several owners desire of one element: what the first one desires, or the endpoints of all of them. */
export function mergeKept(id: string, several: readonly KeptElement[]): KeptElement | undefined {
  const [first] = several;
  if (typeof first !== "string") return first;
  const blocks = several.filter((kept) => typeof kept === "string");
  return mergeBlocks(layoutOf(id), blocks);
}

/** What an element has that it did not have `before`; undefined: nothing. Of endpoints only those that differ. */
export function keptDifference(
  id: string,
  kept: KeptElement | undefined,
  before: KeptElement | undefined,
): KeptElement | undefined {
  if (kept === undefined || before === undefined) return kept;
  if (sameKept(kept, before)) return undefined;
  if (typeof kept !== "string" || typeof before !== "string") return kept;
  const difference = blockDifference(layoutOf(id), kept, before);
  return difference === "" ? undefined : difference;
}

/** Elements that a transaction adds or removes, by id. Of endpoints, which are in one element, some may be meant. */
export interface ChangedElements {
  /** Of the kernel's elements. */
  readonly size: number;
  has(id: string): boolean;
  /** Those of these sets. */
  of(names: ReadonlySet<SetName>): Iterable<Element>;
}

/** Changed elements that are few enough to be listed. */
export class ElementList implements ChangedElements {
  readonly #elements = new Map<string, KeptElement>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Once for each id. */
  add(element: IdentifiedElement): void {
    this.#elements.set(element.id, element.kept);
    this.#size += keptSize(element);
  }

  has(id: string): boolean {
    return this.#elements.has(id);
  }

  *of(names: ReadonlySet<SetName>): Iterable<Element> {
    for (const [id, kept] of this.#elements) if (names.has(idKindOf(id).set)) yield elementOf(id, kept);
  }
}
