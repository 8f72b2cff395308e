import { BellhopError } from "../error/error.ts";
import { arrayKey, JsonStructure } from "./json-structure.ts";
import { ObjectCollector } from "./object-collector.ts";

/** Of meta/v1 ListMeta. Both are empty where the server sent none. */
export interface ListMetadata {
  readonly resourceVersion: string;
  /** For the next page; empty: this was the last. */
  readonly continueToken: string;
}

const metadataDepth = 2;
const itemDepth = 3;

/**
 * Cuts the JSON of a list into its objects while it arrives: only one object is held at a time, however long the list is. The fields
 * may come in any order, because custom resources have `metadata` after `items`. An object of more than `maxBytes` comes as an
 * OversizedObject. Throws ApiUnreachable if the list is not complete.
 */
export class ListDecoder {
  readonly #structure: JsonStructure;
  readonly #collector: ObjectCollector;
  #chunk: Uint8Array = new Uint8Array();
  #items: unknown[] = [];
  #metadata: unknown;
  /** Where the value that is being cut out continues in the current chunk; undefined: there is none. */
  #from: number | undefined;

  constructor(maxBytes?: number, maxText?: number) {
    this.#collector = new ObjectCollector(maxBytes, maxText);
    this.#structure = new JsonStructure(itemDepth, {
      opened: (depth, keys, at) => {
        if (isItem(depth, keys) || isMetadata(depth, keys)) this.#from = at;
      },
      closed: (depth, keys, end) => {
        if (isItem(depth, keys)) this.#items.push(this.#cutOut(end));
        else if (isMetadata(depth, keys)) this.#metadata = this.#cutOut(end);
      },
    });
  }

  /** Takes the next chunk; returns the objects that it completes. */
  push(chunk: Uint8Array): readonly unknown[] {
    this.#chunk = chunk;
    this.#items = [];
    if (this.#from !== undefined) this.#from = 0;
    try {
      this.#structure.push(chunk);
      if (this.#from !== undefined) this.#collector.push(chunk.subarray(this.#from));
    } catch (cause) {
      throw notAList(cause);
    }
    if (this.#structure.broken) throw notAList();
    return this.#items;
  }

  /** Call at the end of the bytes. */
  finish(): ListMetadata {
    if (!this.#structure.complete) throw notAList();
    const metadata = (this.#metadata ?? {}) as { resourceVersion?: string; continue?: string };
    return { resourceVersion: metadata.resourceVersion ?? "", continueToken: metadata.continue ?? "" };
  }

  #cutOut(end: number): unknown {
    this.#collector.push(this.#chunk.subarray(this.#from, end));
    this.#from = undefined;
    return this.#collector.take();
  }
}

function isItem(depth: number, keys: readonly string[]): boolean {
  return depth === itemDepth && keys[1] === "items" && keys[2] === arrayKey;
}

function isMetadata(depth: number, keys: readonly string[]): boolean {
  return depth === metadataDepth && keys[1] === "metadata" && keys[2] !== arrayKey;
}

function notAList(cause?: unknown): BellhopError {
  return new BellhopError("ApiUnreachable", "the answer is not a whole list in JSON", { cause });
}
