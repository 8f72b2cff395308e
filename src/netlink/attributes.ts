import { BellhopError } from "../error/error.ts";
import { hostIsLittleEndian } from "./byte-order.ts";
import { align, attributeHeaderLength, attributeTypeMask } from "./layout.ts";

const decoder = new TextDecoder();

/**
 * The attributes in some bytes. They are checked once, when this is made: lengths never lead past the end. Values are views into the bytes: copy
 * what must outlive the buffer. What has the wrong size throws BellhopError NetlinkMalformed; what is missing is undefined.
 */
export class Attributes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;

  /** The attributes from `start` to `end`, which are positions in `bytes`. Fewer than 4 bytes at the end are ignored, as the kernel does. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
    this.#end = Math.min(end, bytes.length);
    for (let at = start; at + attributeHeaderLength <= this.#end; at += align(this.#lengthAt(at))) {
      const length = this.#lengthAt(at);
      if (length < attributeHeaderLength || at + length > this.#end) {
        throw malformed(`an attribute at byte ${at} has length ${length}, and ${this.#end - at} bytes are left`);
      }
    }
  }

  /** The value of the attribute of this type; of several, the last, as the kernel reads them (nla_parse). */
  bytes(type: number): Uint8Array | undefined {
    const at = this.#find(type);
    return at === undefined ? undefined : this.#valueAt(at);
  }

  u8(type: number): number | undefined {
    const at = this.#number(type, 1);
    return at === undefined ? undefined : this.#view.getUint8(at);
  }

  u16Be(type: number): number | undefined {
    const at = this.#number(type, 2);
    return at === undefined ? undefined : this.#view.getUint16(at);
  }

  u32Be(type: number): number | undefined {
    const at = this.#number(type, 4);
    return at === undefined ? undefined : this.#view.getUint32(at);
  }

  u64Be(type: number): bigint | undefined {
    const at = this.#number(type, 8);
    return at === undefined ? undefined : this.#view.getBigUint64(at);
  }

  /** In host order, like all that follow without `Be`. */
  u16(type: number): number | undefined {
    const at = this.#number(type, 2);
    return at === undefined ? undefined : this.#view.getUint16(at, hostIsLittleEndian);
  }

  u32(type: number): number | undefined {
    const at = this.#number(type, 4);
    return at === undefined ? undefined : this.#view.getUint32(at, hostIsLittleEndian);
  }

  /** UTF-8 up to the first zero byte. */
  text(type: number): string | undefined {
    const value = this.bytes(type);
    if (value === undefined) return undefined;
    const zero = value.indexOf(0);
    return decoder.decode(zero < 0 ? value : value.subarray(0, zero));
  }

  nested(type: number): Attributes | undefined {
    const at = this.#find(type);
    return at === undefined ? undefined : this.#nestedAt(at);
  }

  has(type: number): boolean {
    return this.#find(type) !== undefined;
  }

  /** All of them in order, for lists in which a type comes many times. */
  *[Symbol.iterator](): Generator<{ readonly type: number; readonly value: Uint8Array; nested(): Attributes }> {
    for (let at = this.#start; at + attributeHeaderLength <= this.#end; at += align(this.#lengthAt(at))) {
      const here = at;
      yield { type: this.#typeAt(at), value: this.#valueAt(at), nested: () => this.#nestedAt(here) };
    }
  }

  #find(type: number): number | undefined {
    let found: number | undefined;
    for (let at = this.#start; at + attributeHeaderLength <= this.#end; at += align(this.#lengthAt(at))) {
      if (this.#typeAt(at) === type) found = at;
    }
    return found;
  }

  /** Where the number begins. */
  #number(type: number, size: number): number | undefined {
    const at = this.#find(type);
    if (at === undefined) return undefined;
    const length = this.#lengthAt(at) - attributeHeaderLength;
    if (length !== size) throw malformed(`attribute ${type} has ${length} bytes, and not ${size}`);
    return at + attributeHeaderLength;
  }

  #nestedAt(at: number): Attributes {
    return new Attributes(this.#bytes, at + attributeHeaderLength, at + this.#lengthAt(at));
  }

  #valueAt(at: number): Uint8Array {
    return this.#bytes.subarray(at + attributeHeaderLength, at + this.#lengthAt(at));
  }

  #lengthAt(at: number): number {
    return this.#view.getUint16(at, hostIsLittleEndian);
  }

  #typeAt(at: number): number {
    return this.#view.getUint16(at + 2, hostIsLittleEndian) & attributeTypeMask;
  }
}

export function malformed(what: string): BellhopError {
  return new BellhopError("NetlinkMalformed", `the kernel's message cannot be read: ${what}`);
}
