/** Reads numbers in network byte order. Beyond the end everything is 0 or empty, and `overrun` is set. Never throws. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;
  overrun = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    return this.#number(1);
  }

  uint16(): number {
    return this.#number(2);
  }

  uint32(): number {
    return this.#number(4);
  }

  uint48(): number {
    return this.#number(6);
  }

  /** A view. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length);
    return at === undefined ? this.#bytes.subarray(0, 0) : this.#bytes.subarray(at, at + length);
  }

  /** One character for each byte. */
  latin1(length: number): string {
    const at = this.#advance(length);
    return at === undefined ? "" : this.#bytes.toString("latin1", at, at + length);
  }

  #number(length: number): number {
    const at = this.#advance(length);
    return at === undefined ? 0 : this.#bytes.readUIntBE(at, length);
  }

  #advance(length: number): number | undefined {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      this.overrun = true;
      this.#at = this.#bytes.length;
      return undefined;
    }
    this.#at = at + length;
    return at;
  }
}
