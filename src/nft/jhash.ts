import type { Data } from "./data.ts";

/**
 * What `jhash` computes in the kernel: jhash() of linux/jhash.h over the bytes, scaled to 0..modulus-1 (net/netfilter/nft_hash.c). Reads words
 * in little-endian order, as amd64 and arm64 do.
 */
export function jhash(bytes: Data, seed: number, modulus: number): number {
  return Number((BigInt(hash(bytes, seed)) * BigInt(modulus)) >> 32n);
}

/** JHASH_INITVAL. */
const initial = 0xdeadbeef;

function hash(bytes: Data, seed: number): number {
  let a = (initial + bytes.length + seed) | 0;
  let b = a;
  let c = a;
  let start = 0;
  for (; bytes.length - start > 12; start += 12) {
    [a, b, c] = mix((a + word(bytes, start)) | 0, (b + word(bytes, start + 4)) | 0, (c + word(bytes, start + 8)) | 0);
  }
  if (start === bytes.length) return c >>> 0;
  return final((a + word(bytes, start)) | 0, (b + word(bytes, start + 4)) | 0, (c + word(bytes, start + 8)) | 0) >>> 0;
}

/** Four bytes; those behind the end are 0. */
function word(bytes: Data, start: number): number {
  const byte = (offset: number) => bytes.charCodeAt(start + offset) || 0;
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** __jhash_mix. */
function mix(one: number, two: number, three: number): readonly [number, number, number] {
  let [a, b, c] = [one, two, three];
  a = (a - c) ^ rotate(c, 4);
  c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 6);
  a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 8);
  b = (b + a) | 0;
  a = (a - c) ^ rotate(c, 16);
  c = (c + b) | 0;
  b = (b - a) ^ rotate(a, 19);
  a = (a + c) | 0;
  c = (c - b) ^ rotate(b, 4);
  b = (b + a) | 0;
  return [a, b, c];
}

/** __jhash_final. */
function final(one: number, two: number, three: number): number {
  let [a, b, c] = [one, two, three];
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c;
}
