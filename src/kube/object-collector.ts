import { ByteCollector } from "./byte-collector.ts";
import { JsonBuilder } from "./json-builder.ts";
import { maxObjectBytes, OversizedObject } from "./oversized-object.ts";

/** Up to this length the text is collected for JSON.parse, which is ten times faster. */
const maxTextBytes = 128 * 1024;

/**
 * Parses one JSON value after another, each of which arrives in chunks. Of a value of more than `maxBytes` only `metadata` and `type` are
 * kept, as far as these are short.
 */
export class ObjectCollector {
  readonly #maxBytes: number;
  readonly #maxText: number;
  readonly #text = new ByteCollector();
  #builder: JsonBuilder | undefined;
  #length = 0;

  constructor(maxBytes = maxObjectBytes, maxText = maxTextBytes) {
    this.#maxBytes = maxBytes;
    this.#maxText = maxText;
  }

  /** Bytes of the current value. */
  get length(): number {
    return this.#length;
  }

  push(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#builder === undefined && this.#length > this.#maxText) {
      this.#builder = new JsonBuilder();
      this.#builder.push(this.#text.bytes);
      this.#text.clear();
    }
    if (this.#length > this.#maxBytes) this.#builder?.thin();
    if (this.#builder === undefined) this.#text.push(piece);
    else this.#builder.push(piece);
  }

  /** Returns the value, and begins with the next one. Throws SyntaxError if it is not JSON. */
  take(): unknown {
    const length = this.#length;
    const builder = this.#builder;
    this.#length = 0;
    this.#builder = undefined;
    if (builder !== undefined) return length > this.#maxBytes ? oversized(builder.value, length) : builder.value;
    const text = this.#text.bytes.toString("utf8");
    this.#text.clear();
    return JSON.parse(text);
  }
}

/** An object, or a watch event about one. */
function oversized(value: unknown, bytes: number): unknown {
  const { type, object, metadata } = value as { type?: unknown; object?: { metadata?: unknown }; metadata?: unknown };
  const found = new OversizedObject(object === undefined ? metadata : object.metadata, bytes);
  if (found.metadata.name === undefined) throw new SyntaxError("a long value that is not an object");
  return object === undefined ? found : { type, object: found };
}
