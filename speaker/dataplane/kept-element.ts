import { type Data, dataAddress, dataNumber, dataProtocol, splitData } from "../../src/nft/data.ts";
import type { NftElement } from "../../src/nft/set.ts";
import { type Element, type EndpointAddress, nftElement, nftKey, type SetName, sameValue } from "./element.ts";
import { idKindOf, keyOfId } from "./element-id.ts";
import { sets } from "./sets.ts";

/**
 * An element beside its id, in as little memory as possible, because there may be hundreds of thousands. Those of endpoints, which are nearly all, are
 * their data in the kernel's bytes; "" where they have none. The id has everything else.
 */
export type KeptElement = Element | Data;

/** An element, as it is kept, with its id. */
export interface IdentifiedElement {
  readonly id: string;
  readonly kept: KeptElement;
}

/** What to keep of an element. */
export function keepElement(element: Element): KeptElement {
  switch (element.set) {
    case "tcp_endpoints":
    case "udp_endpoints": {
      const { data } = nftElement(element);
      return typeof data === "string" ? data : element;
    }
    case "remote_endpoints":
      return "";
    default:
      return element;
  }
}

/** The element again. */
export function elementOf(id: string, kept: KeptElement): Element {
  if (typeof kept !== "string") return kept;
  const { family, set } = idKindOf(id);
  const parts = splitData(sets[family][set].key, keyOfId(id));
  const [first = "", second = "", third = "", fourth = ""] = parts;
  switch (set) {
    case "tcp_endpoints":
    case "udp_endpoints": {
      const key = {
        address: dataAddress(first),
        port: dataNumber("inet_service", second),
        index: dataNumber("integer", third),
      };
      const [address = "", port = ""] = splitData([sets[family][set].key[0] ?? "integer", "inet_service"], kept);
      return { family, set, key, value: endpointOf(address, port) };
    }
    case "remote_endpoints": {
      const key = {
        address: dataAddress(first),
        protocol: dataProtocol(second),
        endpoint: endpointOf(third, fourth),
      };
      return { family, set, key };
    }
    default:
      throw new RangeError(`an element of ${set} is kept as it is`);
  }
}

function endpointOf(address: Data, port: Data): EndpointAddress {
  return { address: dataAddress(address), port: dataNumber("inet_service", port) };
}

/** The element in the kernel's bytes. */
export function keptNftElement(id: string, kept: KeptElement): NftElement {
  if (typeof kept !== "string") return nftElement(kept);
  return kept === "" ? { key: keyOfId(id) } : { key: keyOfId(id), data: kept };
}

/** The same without its data: as for a deletion. */
export function keptNftKey(id: string, kept: KeptElement): NftElement {
  return typeof kept === "string" ? { key: keyOfId(id) } : nftKey(kept);
}

/** Whether two elements of the same set have the same value. */
export function sameKept(left: KeptElement, right: KeptElement): boolean {
  return typeof left === "string" || typeof right === "string" ? left === right : sameValue(left, right);
}

/** Elements that a transaction adds or removes, by id. */
export interface ChangedElements {
  readonly size: number;
  has(id: string): boolean;
  /** Those of these sets. */
  of(names: ReadonlySet<SetName>): Iterable<Element>;
}

/** Changed elements that are few enough to be listed. */
export class ElementList implements ChangedElements {
  readonly #elements = new Map<string, KeptElement>();

  get size(): number {
    return this.#elements.size;
  }

  add(id: string, kept: KeptElement): void {
    this.#elements.set(id, kept);
  }

  has(id: string): boolean {
    return this.#elements.has(id);
  }

  *of(names: ReadonlySet<SetName>): Iterable<Element> {
    for (const [id, kept] of this.#elements) if (names.has(idKindOf(id).set)) yield elementOf(id, kept);
  }
}
