import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { IpRange } from "../../../../src/ip/range.ts";
import { RangeMap } from "../../../../src/ip/range-map.ts";

const range = fc
  .record({
    family: fc.constantFrom("IPv4" as const, "IPv6" as const),
    first: fc.integer({ min: 0, max: 40 }),
    length: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ family, first, length }): IpRange => ({ family, first: BigInt(first), last: BigInt(first + length) }));

function valuesOf({ family, first, last }: IpRange): readonly string[] {
  const size = Number(last - first) + 1;
  return Array.from({ length: size }, (_, index) => `${family} ${first + BigInt(index)}`);
}

test("each address has the value of the first range that covers it, as in a plain map", () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), range, (ranges, query) => {
      const map = new RangeMap<number>();
      const model = new Map<string, number>();
      for (const [index, one] of ranges.entries()) {
        map.fill(one, index);
        for (const key of valuesOf(one)) if (!model.has(key)) model.set(key, index);
      }
      const keys = valuesOf(query);
      assert.equal(map.firstIn(query), model.get(keys.find((key) => model.has(key)) ?? ""));
      assert.deepEqual(
        map.gapsIn(query).flatMap(valuesOf),
        keys.filter((key) => !model.has(key)),
      );
      for (const [index, key] of keys.entries()) {
        assert.equal(map.at({ family: query.family, value: query.first + BigInt(index) }), model.get(key));
      }
    }),
  );
});
