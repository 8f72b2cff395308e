import type { Data } from "../../src/nft/data.ts";
import { keyId } from "../../src/nft/set.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { type ElementRef, nftKey, type SetName } from "./element.ts";

/** The same text for the same family, set and key: a character for family and set, and the kernel's bytes of the key. */
export function elementId(element: ElementRef): string {
  return rawElementId(element.family, element.set, keyId(nftKey(element)));
}

/** The same, of a key that is in the kernel's bytes already. */
export function rawElementId(family: NftIpFamily, set: SetName, key: string): string {
  return idPrefixOf(family, set) + key;
}

/** What an id is about besides the key. */
export interface IdKind {
  readonly family: NftIpFamily;
  readonly set: SetName;
}

/** What ids begin with, made when it is first needed: the character whose code is the place in `idKinds`. */
const idPrefixes: Readonly<Record<NftIpFamily, { [Name in SetName]?: string }>> = { ip: {}, ip6: {} };
const idKinds: IdKind[] = [];

function idPrefixOf(family: NftIpFamily, set: SetName): string {
  const prefixes = idPrefixes[family];
  prefixes[set] ??= String.fromCharCode(idKinds.push({ family, set }) - 1);
  return prefixes[set];
}

/** Family and set of an id. */
export function idKindOf(id: string): IdKind {
  const kind = idKinds[id.charCodeAt(0)];
  if (kind === undefined) throw new RangeError("this is not the id of an element");
  return kind;
}

/** The key of an id: that of its element in the kernel's bytes, both ends of a range. */
export function keyOfId(id: string): Data {
  return id.slice(1);
}
