import { byteOf } from "./json-bytes.ts";

/** Finds the end of a JSON string that arrives in chunks (RFC 8259 section 7). One for each string at a time. */
export class JsonStringScanner {
  #escaped = false;
  #ended = false;

  /** Whether the last part that was scanned ends with the quotation mark that ends the string. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Continues at `from`, in a string. Returns the index after the part of the chunk that belongs to it, its quotation mark included. */
  scan(chunk: Uint8Array, from: number): number {
    let at = from;
    let escaped = this.#escaped;
    let ended = false;
    for (; at < chunk.length && !ended; at++) {
      const byte = chunk[at];
      if (escaped) escaped = false;
      else if (byte === byteOf.backslash) escaped = true;
      else ended = byte === byteOf.quote;
    }
    this.#escaped = escaped;
    this.#ended = ended;
    return at;
  }
}
