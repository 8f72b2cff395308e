import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shorten, shortenDistinctly, shortenToBytes } from "../../../../src/model/bounded-text.ts";

/** Of one, two, three and four bytes in UTF-8; the last is two UTF-16 code units. */
const texts = ["a", "é", "…", "😀"].map((character) => character.repeat(2_000));

describe("a text that is too long", () => {
  for (const text of texts) {
    for (const length of [40, 41, 100, 1_023]) {
      test(`${length} of ${text.slice(0, 2)}`, () => {
        const short = shorten(text, length);
        assert.ok(short.length <= length && short.endsWith("…") && short.isWellFormed());
        const bytes = shortenToBytes(text, length);
        assert.ok(Buffer.byteLength(bytes) <= length);
        assert.ok(bytes === text || (bytes.endsWith("…") && bytes.isWellFormed()));
        const distinct = shortenDistinctly(text, length);
        assert.ok(distinct.length <= length && distinct.isWellFormed());
        assert.notEqual(distinct, shortenDistinctly(`${text}2`, length));
      });
    }
  }

  test("a text that fits stays as it is", () => {
    for (const cut of [shorten, shortenToBytes, shortenDistinctly]) assert.equal(cut("0123456789", 10), "0123456789");
  });
});
