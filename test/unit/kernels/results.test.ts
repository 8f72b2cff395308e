import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestOutcome } from "../../kernels/outcome.ts";
import { isGood, printResults, readOutcomes, resultsOf } from "../../kernels/results.ts";

const file = "test/network/nft.test.ts";

function resultOf(...outcomes: readonly TestOutcome[]) {
  const [result] = resultsOf([file], outcomes);
  assert.ok(result !== undefined);
  return result;
}

const begin = { kind: "begin", file } as const;
const end = { kind: "end", file } as const;
const passed = { kind: "passed", file, name: "writes" } as const;
const failed = { kind: "failed", file, name: "reads", reason: "no answer\n  at line 7" } as const;
const cutOff = { kind: "cut-off", file, name: "deletes" } as const;
const skipped = { kind: "skipped", file, name: "lists", reason: "needs Linux 6.13" } as const;

describe("what a test file came to on a kernel", () => {
  const cases: readonly (readonly [name: string, outcomes: readonly TestOutcome[], good: boolean])[] = [
    ["all passed", [begin, passed, passed, end], true],
    ["skipped with a reason", [begin, skipped, end], true],
    ["one failed", [begin, passed, failed, end], false],
    ["one cut off by its time limit", [begin, passed, cutOff, end], false],
    ["all cut off", [begin, passed], false],
    ["never begun", [], false],
    ["nothing in it", [begin, end], false],
  ];
  for (const [name, outcomes, good] of cases) {
    test(`${name}: ${good ? "good" : "not good"}`, () => assert.equal(isGood(resultOf(...outcomes)), good));
  }

  test("other files are not mixed in", () => {
    const other = { kind: "failed", file: "test/network/other.test.ts", name: "reads", reason: "" } as const;
    assert.ok(isGood(resultOf(begin, passed, other, end)));
  });

  test("what failed and what was skipped is printed with its reason", () => {
    const text = printResults([resultOf(begin, passed, failed, cutOff, skipped, skipped)]);
    assert.match(text, /1 passed, 1 failed, 1 cut off by a time limit, 2 skipped, not run to its end/);
    assert.match(text, /✗ reads\n +no answer\n +skipped 2: needs Linux 6\.13\n$/);
  });

  test("a line that is being written is left for the next time", () => {
    assert.deepEqual(readOutcomes(`${JSON.stringify(begin)}\n${JSON.stringify(passed).slice(0, 20)}`), [begin]);
    assert.deepEqual(readOutcomes(""), []);
  });
});
