/**
 * Writes numbers in network byte order into a buffer. Throws RangeError for a number that does not fit into its bytes, and for what does not
 * fit into the buffer.
 */
export class ByteWriter {
  readonly #into: Buffer;
  #at: number;

  constructor(into: Uint8Array, at: number) {
    this.#into = Buffer.from(into.buffer, into.byteOffset, into.length);
    this.#at = at;
  }

  /** Where the next byte is written. */
  get at(): number {
    return this.#at;
  }

  uint8(value: number): void {
    this.#at = this.#into.writeUInt8(value, this.#at);
  }

  uint16(value: number): void {
    this.#at = this.#into.writeUInt16BE(value, this.#at);
  }

  uint32(value: number): void {
    this.#at = this.#into.writeUInt32BE(value, this.#at);
  }

  uint48(value: number): void {
    this.#at = this.#into.writeUIntBE(value, this.#at, 6);
  }

  bytes(bytes: Uint8Array): void {
    this.#into.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** One byte for each character. */
  latin1(text: string): void {
    if (this.#at + text.length > this.#into.length) throw new RangeError("a text does not fit into the buffer");
    this.#at += this.#into.write(text, this.#at, "latin1");
  }

  /** Writes at another place, without moving there. */
  uint16At(at: number, value: number): void {
    this.#into.writeUInt16BE(value, at);
  }
}
