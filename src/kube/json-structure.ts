import { byteOf } from "./json-bytes.ts";
import { JsonStringScanner } from "./json-string.ts";

/** What a `JsonStructure` reports. Depth 1 is the outermost object; `keys[depth]` is the key that leads to a value within it. */
export interface JsonListener {
  /** An object or array at `depth` begins at byte `at` of the chunk; `keys` lead to it. */
  opened?(depth: number, keys: readonly string[], at: number): void;
  /** It has ended; `end` is the index after its last byte. */
  closed?(depth: number, keys: readonly string[], end: number): void;
  /** A string that is the value of `keys[depth]`. Strings longer than 1,024 bytes are not reported. */
  text?(depth: number, keys: readonly string[], value: string): void;
}

/** Names of Kubernetes objects end at 253 bytes; keys of the fields that we look for are shorter still. */
const maxTextBytes = 1_024;
/** The key of a value within an array. */
export const arrayKey = "[]";

/**
 * Follows the structure of one JSON value that arrives in chunks, and keeps only short strings near the top. Bytes that
 * are not JSON are not recognised as such: parse what is cut out by it.
 */
export class JsonStructure {
  readonly #maxDepth: number;
  readonly #listener: JsonListener;
  readonly #keys: string[] = [""];
  #depth = 0;
  readonly #scanner = new JsonStringScanner();
  #inString = false;
  /** Bytes of the current string, as Latin-1 so that none is decoded early; undefined: not kept. */
  #string: string | undefined;
  #afterColon = false;
  #begun = false;

  /** Reports what is at `maxDepth` and above; everything below is only followed. */
  constructor(maxDepth: number, listener: JsonListener) {
    this.#maxDepth = maxDepth;
    this.#listener = listener;
  }

  /** Whether one whole object or array has been seen. */
  get complete(): boolean {
    return this.#begun && this.#depth === 0 && !this.#inString;
  }

  /** Whether more brackets were closed than opened. */
  get broken(): boolean {
    return this.#depth < 0;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#inString) at = this.#readString(chunk, at);
      else this.#take(chunk[at] as number, at++);
    }
  }

  #take(byte: number, at: number): void {
    switch (byte) {
      case byteOf.quote:
        this.#inString = true;
        this.#string = this.#depth <= this.#maxDepth ? "" : undefined;
        break;
      case byteOf.openBrace:
      case byteOf.openBracket:
        this.#open(byte === byteOf.openBracket, at);
        break;
      case byteOf.closeBrace:
      case byteOf.closeBracket:
        if (this.#depth <= this.#maxDepth) this.#listener.closed?.(this.#depth, this.#keys, at + 1);
        this.#depth--;
        this.#afterColon = false;
        break;
      case byteOf.colon:
        if (this.#depth > this.#maxDepth) break;
        this.#keys[this.#depth] = decode(this.#string);
        this.#afterColon = true;
        break;
      case byteOf.comma:
        this.#afterColon = false;
        break;
    }
  }

  #open(isArray: boolean, at: number): void {
    this.#begun = true;
    this.#afterColon = false;
    this.#depth++;
    if (this.#depth > this.#maxDepth) return;
    this.#keys[this.#depth] = isArray ? arrayKey : "";
    this.#listener.opened?.(this.#depth, this.#keys, at);
  }

  /** Continues in a string; returns the index after the part that was read. */
  #readString(chunk: Uint8Array, from: number): number {
    const at = this.#scanner.scan(chunk, from);
    const { ended } = this.#scanner;
    if (this.#string !== undefined) this.#keep(chunk.subarray(from, ended ? at - 1 : at));
    if (ended) this.#endString();
    return at;
  }

  #keep(bytes: Uint8Array): void {
    const length = (this.#string?.length ?? 0) + bytes.length;
    this.#string =
      length > maxTextBytes
        ? undefined
        : `${this.#string}${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")}`;
  }

  #endString(): void {
    this.#inString = false;
    if (!this.#afterColon || this.#string === undefined || this.#depth > this.#maxDepth) return;
    this.#listener.text?.(this.#depth, this.#keys, decode(this.#string));
  }
}

/** The text between the quotes; empty if it was not kept or is not a JSON string. */
function decode(latin1: string | undefined): string {
  if (latin1 === undefined) return "";
  const text = Buffer.from(latin1, "latin1").toString("utf8");
  if (!text.includes("\\")) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return "";
  }
}
