import { hostIsLittleEndian } from "./byte-order.ts";
import { align, attributeHeaderLength, maxAttributeLength, messageHeaderLength, nestedFlag } from "./layout.ts";

/** The header of one message. `flags` and `type` are those of linux/netlink.h and of the subsystem. */
export interface MessageHeader {
  readonly type: number;
  readonly flags: number;
  /** Comes back in the answers to this message. */
  readonly sequence: number;
}

const encoder = new TextEncoder();

/**
 * Writes messages of netlink, one behind the other, into one buffer that grows. Lengths of messages and of nested attributes are filled
 * in when they are ended, padding included. Numbers named `Be` are big-endian, as nf_tables and ctnetlink require; the others are
 * in host order. One attribute has at most 65,535 bytes: the caller splits what is longer, with `lengthSince`.
 */
export class MessageWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** `capacity` in bytes is where the buffer starts; it doubles when it is full. */
  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How many bytes are written. */
  get length(): number {
    return this.#length;
  }

  /** A copy of what is written, in a buffer of its own, which can be transferred to another thread. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  /** What is written, in the buffer itself, which can be transferred to another thread. The writer must no longer be used. */
  release(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer.transfer(this.#length));
  }

  /** Forgets what is written, and keeps the buffer. */
  clear(): void {
    this.#length = 0;
  }

  /** Returns a mark for `endMessage`. */
  beginMessage({ type, flags, sequence }: MessageHeader): number {
    const start = this.#take(messageHeaderLength);
    this.#view.setUint32(start, 0, hostIsLittleEndian);
    this.#view.setUint16(start + 4, type, hostIsLittleEndian);
    this.#view.setUint16(start + 6, flags, hostIsLittleEndian);
    this.#view.setUint32(start + 8, sequence, hostIsLittleEndian);
    // The port id: 0, the kernel knows the sender.
    this.#view.setUint32(start + 12, 0, hostIsLittleEndian);
    return start;
  }

  endMessage(start: number): void {
    this.#view.setUint32(start, this.#length - start, hostIsLittleEndian);
  }

  /** Adds flags to a message that was begun at the mark. */
  addFlags(start: number, flags: number): void {
    this.#view.setUint16(start + 6, this.#view.getUint16(start + 6, hostIsLittleEndian) | flags, hostIsLittleEndian);
  }

  /** Returns a mark for `endNested`. */
  beginNested(type: number): number {
    const start = this.#take(attributeHeaderLength);
    this.#view.setUint16(start, 0, hostIsLittleEndian);
    this.#view.setUint16(start + 2, type | nestedFlag, hostIsLittleEndian);
    return start;
  }

  /** Throws RangeError for an attribute that is too long. */
  endNested(start: number): void {
    this.#setAttributeLength(start, this.#length - start);
  }

  /** Bytes since a mark: how long the message or the nested attribute is so far. */
  lengthSince(start: number): number {
    return this.#length - start;
  }

  /** Takes back what was written since a mark or an earlier `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Bytes as they are, padded with zeros to a multiple of 4: the fixed header of a subsystem. */
  raw(bytes: Uint8Array): void {
    const start = this.#take(align(bytes.length));
    this.#bytes.set(bytes, start);
    this.#bytes.fill(0, start + bytes.length, this.#length);
  }

  bytes(type: number, value: Uint8Array): void {
    const start = this.#attribute(type, value.length);
    this.#bytes.set(value, start);
  }

  /** Bytes in a string, one in each character (latin1). */
  byteString(type: number, value: string): void {
    this.overwrite(this.#attribute(type, value.length), value, 0, value.length);
  }

  /** Writes bytes once more that were written before; returns where they begin. Lengths in them stay as they are. */
  repeat(from: number, length: number): number {
    const start = this.#take(length);
    this.#bytes.copyWithin(start, from, from + length);
    return start;
  }

  /** Puts bytes of a string, from one place up to another, in place of what was written. */
  overwrite(at: number, value: string, from: number, to: number): void {
    const bytes = this.#bytes;
    for (let index = from; index < to; index++) bytes[at + index - from] = value.charCodeAt(index);
  }

  /** UTF-8 with a zero byte behind it, as the kernel's names are. */
  text(type: number, value: string): void {
    const length = Buffer.byteLength(value);
    const start = this.#attribute(type, length + 1);
    encoder.encodeInto(value, this.#bytes.subarray(start, start + length));
    this.#bytes[start + length] = 0;
  }

  /** An attribute without a value. */
  flag(type: number): void {
    this.#attribute(type, 0);
  }

  u8(type: number, value: number): void {
    const start = this.#attribute(type, 1);
    this.#view.setUint8(start, value);
  }

  u16Be(type: number, value: number): void {
    const start = this.#attribute(type, 2);
    this.#view.setUint16(start, value);
  }

  u32Be(type: number, value: number): void {
    const start = this.#attribute(type, 4);
    this.#view.setUint32(start, value);
  }

  /** A signed number: priorities and verdict codes. */
  i32Be(type: number, value: number): void {
    const start = this.#attribute(type, 4);
    this.#view.setInt32(start, value);
  }

  u64Be(type: number, value: bigint): void {
    const start = this.#attribute(type, 8);
    this.#view.setBigUint64(start, value);
  }

  u16(type: number, value: number): void {
    const start = this.#attribute(type, 2);
    this.#view.setUint16(start, value, hostIsLittleEndian);
  }

  u32(type: number, value: number): void {
    const start = this.#attribute(type, 4);
    this.#view.setUint32(start, value, hostIsLittleEndian);
  }

  /** Writes header and padding; returns where the value goes. */
  #attribute(type: number, length: number): number {
    const start = this.#take(attributeHeaderLength + align(length));
    this.#view.setUint16(start + 2, type, hostIsLittleEndian);
    this.#setAttributeLength(start, attributeHeaderLength + length);
    for (let index = start + attributeHeaderLength + length; index < this.#length; index++) this.#bytes[index] = 0;
    return start + attributeHeaderLength;
  }

  #setAttributeLength(start: number, length: number): void {
    if (length > maxAttributeLength) throw new RangeError(`an attribute of ${length} bytes is too long for netlink`);
    this.#view.setUint16(start, length, hostIsLittleEndian);
  }

  /** Makes room; returns where it begins. */
  #take(length: number): number {
    const start = this.#length;
    const needed = start + length;
    if (needed > this.#bytes.length) {
      // Moves what is written, and frees the old buffer at once.
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(Math.max(needed, 2 * this.#bytes.length)));
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#length = needed;
    return start;
  }
}
