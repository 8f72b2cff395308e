import { BellhopError } from "../error/error.ts";
import { ObjectCollector } from "./object-collector.ts";

const newline = 0x0a;

/**
 * Cuts a byte stream into JSON values, one a line. Works on bytes: a character cut in two by a chunk border is never decoded
 * early. Of a watch event longer than `maxBytes` only the type is read, and which object it is about (OversizedObject). Throws
 * ApiUnreachable for a line that is not JSON, because then nothing that follows can be trusted.
 */
export class JsonLines {
  readonly #collector: ObjectCollector;

  constructor(maxBytes?: number, maxText?: number) {
    this.#collector = new ObjectCollector(maxBytes, maxText);
  }

  /** Takes the next chunk; returns the values of all lines that it completes. */
  *push(chunk: Buffer): Generator<unknown> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      this.#collect(chunk.subarray(start, end));
      start = end + 1;
      if (this.#collector.length > 0) yield this.#parsed(() => this.#collector.take());
    }
    this.#collect(chunk.subarray(start));
  }

  #collect(bytes: Buffer): void {
    if (bytes.length > 0) this.#parsed(() => this.#collector.push(bytes));
  }

  #parsed<Value>(parse: () => Value): Value {
    try {
      return parse();
    } catch (cause) {
      throw new BellhopError("ApiUnreachable", "a watch sent a line that is not JSON", { cause });
    }
  }
}
