import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NameIndex } from "../../../../src/index/name-index.ts";

const step = fc.record({
  adds: fc.boolean(),
  key: fc.constantFrom("a", "b"),
  name: fc.constantFrom("x", "y", "z"),
});

test("after any changes each key has the names that were added and not deleted, in order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const index = new NameIndex();
      const expected = new Map<string, Set<string>>();
      for (const { adds, key, name } of steps) {
        const names = expected.get(key) ?? new Set();
        if (adds) index.add(key, name);
        else index.delete(key, name);
        if (adds) names.add(name);
        else names.delete(name);
        if (names.size > 0) expected.set(key, names);
        else expected.delete(key);
        assert.deepEqual(new Set(index.keys), new Set(expected.keys()));
        assert.equal(index.size, expected.size);
        for (const every of ["a", "b", "c"]) {
          assert.deepEqual([...index.of(every)], [...(expected.get(every) ?? [])]);
          assert.equal(index.has(every), expected.has(every));
        }
      }
    }),
  );
});
