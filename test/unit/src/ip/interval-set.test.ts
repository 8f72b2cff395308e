import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IntervalSet } from "../../../../src/ip/interval-set.ts";

const change = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), value: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ kind: fc.constant("remove" as const), value: fc.integer({ min: 0, max: 40 }) }),
  fc.record({
    kind: fc.constant("range" as const),
    value: fc.integer({ min: 0, max: 40 }),
    length: fc.integer({ min: 0, max: 12 }),
  }),
);

test("it holds what a plain set holds, in as few intervals as there are runs", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const set = new IntervalSet();
      const model = new Set<number>();
      for (const step of changes) {
        if (step.kind === "add") {
          set.add(BigInt(step.value));
          model.add(step.value);
        } else if (step.kind === "remove") {
          assert.equal(set.remove(BigInt(step.value)), model.delete(step.value));
        } else {
          set.addRange({ first: BigInt(step.value), last: BigInt(step.value + step.length) });
          for (let value = step.value; value <= step.value + step.length; value++) model.add(value);
        }
      }
      const held: number[] = [];
      let runs = 0;
      for (const { first, last } of set.intervals()) {
        runs++;
        for (let value = first; value <= last; value++) held.push(Number(value));
      }
      const expected = [...model].sort((a, b) => a - b);
      assert.deepEqual(held, expected);
      assert.equal(set.size, BigInt(model.size));
      assert.equal(runs, expected.filter((value) => !model.has(value - 1)).length);
      for (let value = 0; value <= 55; value++) assert.equal(set.has(BigInt(value)), model.has(value));
    }),
  );
});
