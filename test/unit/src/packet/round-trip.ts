import assert from "node:assert/strict";
import fc from "fast-check";

/** A buffer of exactly so many random bytes. */
export function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

/** Properties of every codec: decoding what was encoded gives it back, also amid a larger buffer; decode never throws. */
export function checkCodec<Value>(
  values: fc.Arbitrary<Value>,
  encode: (value: Value) => Uint8Array,
  decode: (bytes: Uint8Array) => Value | undefined,
): void {
  fc.assert(
    fc.property(values, fc.nat({ max: 20 }), (value, offset) => {
      const encoded = encode(value);
      const larger = new Uint8Array(offset + encoded.length);
      larger.set(encoded, offset);
      assert.deepEqual(plain(decode(larger.subarray(offset))), plain(value));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
      decode(noise);
    }),
  );
  fc.assert(
    fc.property(values, fc.nat(), fc.nat(), fc.nat({ max: 255 }), (value, cut, place, byte) => {
      const encoded = encode(value);
      encoded[place % encoded.length] = byte;
      decode(encoded.subarray(0, cut % (encoded.length + 1)));
    }),
  );
}

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? Array.from(part) : part)) ?? "null",
  );
}
