import { ByteCollector } from "./byte-collector.ts";
import { byteOf } from "./json-bytes.ts";
import { JsonStringScanner } from "./json-string.ts";

/** Longer strings are cut. No field that Bellhop reads may be so long. */
export const maxStringBytes = 64 * 1024;
/** After `thin`, strings up to this length are kept near the top: names of Kubernetes objects end at 253 bytes. */
const maxThinStringBytes = 1_024;
/** An object's metadata within a watch event. */
const thinDepth = 3;

type Container = unknown[] | Record<string, unknown>;

/**
 * Parses one JSON object or array while it arrives, without ever holding its text: meant for values so large that their text would
 * take too much memory. Throws SyntaxError for most of what is not JSON. Strings of more than `maxStringBytes` bytes of JSON are cut there.
 */
export class JsonBuilder {
  readonly #stack: Container[] = [];
  readonly #keys: string[] = [];
  readonly #token = new ByteCollector();
  #root: Container | undefined;
  readonly #scanner = new JsonStringScanner();
  #inString = false;
  #cut = false;
  #literal = "";
  #expectsKey = false;
  #thin = false;

  /** The value, once it is whole. */
  get value(): unknown {
    if (this.#root === undefined || this.#stack.length > 0) throw new SyntaxError("the JSON is not complete");
    return this.#root;
  }

  /** From here on, keeps only short strings near the top, such as the name of the object. */
  thin(): void {
    this.#thin = true;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#inString) at = this.#readString(chunk, at);
      else this.#take(chunk[at++] as number);
    }
  }

  #take(byte: number): void {
    switch (byte) {
      case byteOf.quote:
        this.#inString = true;
        break;
      case byteOf.openBrace:
        this.#open({});
        break;
      case byteOf.openBracket:
        this.#open([]);
        break;
      case byteOf.closeBrace:
      case byteOf.closeBracket:
        this.#endLiteral();
        this.#close(byte === byteOf.closeBracket);
        break;
      case byteOf.comma:
        this.#endLiteral();
        this.#expectsKey = !Array.isArray(this.#stack.at(-1));
        break;
      case byteOf.colon:
        this.#expectsKey = false;
        break;
      default:
        this.#takeLiteral(byte);
    }
  }

  #open(container: Container): void {
    this.#add(container);
    this.#root ??= container;
    this.#stack.push(container);
    this.#keys.push("");
    this.#expectsKey = !Array.isArray(container);
  }

  #close(isArray: boolean): void {
    this.#keys.pop();
    if (Array.isArray(this.#stack.pop()) !== isArray) throw new SyntaxError("a bracket of the JSON does not match");
  }

  /** Numbers, true, false and null. */
  #takeLiteral(byte: number): void {
    if (byte <= byteOf.space) this.#endLiteral();
    else this.#literal += String.fromCharCode(byte);
    if (this.#literal.length > maxThinStringBytes) throw new SyntaxError("a number of the JSON is too long");
  }

  #endLiteral(): void {
    if (this.#literal === "") return;
    const value: unknown = JSON.parse(this.#literal);
    this.#literal = "";
    this.#addScalar(value);
  }

  /** Continues in a string; returns the index after the part that was read. */
  #readString(chunk: Uint8Array, from: number): number {
    const at = this.#scanner.scan(chunk, from);
    const { ended } = this.#scanner;
    const room = maxStringBytes - this.#token.length;
    const end = ended ? at - 1 : at;
    if (end - from > room) this.#cut = true;
    this.#token.push(chunk.subarray(from, Math.min(end, from + room)));
    if (ended) this.#endString();
    return at;
  }

  #endString(): void {
    const { bytes } = this.#token;
    const text = decodeString(this.#cut ? bytes.subarray(0, wholeCharacters(bytes)) : bytes);
    this.#inString = false;
    this.#cut = false;
    this.#token.clear();
    if (this.#expectsKey) this.#keys[this.#keys.length - 1] = text;
    else this.#addScalar(text);
  }

  #addScalar(value: unknown): void {
    const fits = typeof value === "string" && value.length <= maxThinStringBytes && this.#stack.length <= thinDepth;
    if (!this.#thin || fits) this.#add(value);
  }

  #add(value: unknown): void {
    const container = this.#stack.at(-1);
    if (container === undefined) {
      if (this.#root !== undefined) throw new SyntaxError("the JSON continues after its end");
    } else if (this.#thin && this.#stack.length > thinDepth) return;
    else if (Array.isArray(container)) container.push(value);
    else setOwn(container, this.#keys.at(-1) ?? "", value);
  }
}

/** As JSON.parse does: `__proto__` is a key like any other. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function decodeString(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

/** How many of the bytes are whole characters and escapes. */
function wholeCharacters(bytes: Uint8Array): number {
  let at = 0;
  for (;;) {
    const end = at + characterLength(bytes, at);
    if (end > bytes.length) return at;
    at = end;
  }
}

/** RFC 8259 section 7 and RFC 3629 section 3. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first === byteOf.backslash) return bytes[at + 1] === byteOf.u ? 6 : 2;
  if (first < 0xc0) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
