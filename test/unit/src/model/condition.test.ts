import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Condition } from "../../../../src/api/api.ts";
import { type ConditionState, withCondition } from "../../../../src/model/condition.ts";

const before = "2026-01-01T00:00:00Z";
const now = "2026-01-01T00:01:00Z";

function condition(type: string, more: Partial<Condition> = {}): Condition {
  return { type, status: "True", reason: "Well", message: "All is well.", lastTransitionTime: before, ...more };
}

function state(type: string, more: Partial<ConditionState> = {}): ConditionState {
  const { lastTransitionTime: _time, ...rest } = condition(type);
  return { ...rest, ...more };
}

describe("withCondition", () => {
  test("cuts a message that is too long, and writes it once", () => {
    const wanted = state("Ready", { message: "😀".repeat(20_000) });
    const written = withCondition([], wanted, now) ?? [];
    const message = written[0]?.message ?? "";
    assert.ok(message.length <= 4_096 && message.endsWith("…") && message.isWellFormed());
    assert.equal(withCondition(written, wanted, now), undefined);
  });

  test("adds a condition of a new type at the end", () => {
    assert.deepEqual(withCondition([condition("Ready")], state("Conflict"), now), [
      condition("Ready"),
      condition("Conflict", { lastTransitionTime: now }),
    ]);
  });

  test("changes nothing where all is said already", () => {
    assert.equal(withCondition([condition("Ready")], state("Ready"), now), undefined);
  });

  test("a changed condition keeps its place, and the others theirs", () => {
    const present = [condition("InPool"), condition("Conflict"), condition("Announceable")];
    const after = withCondition(present, state("Conflict", { status: "False" }), now);
    assert.deepEqual(after, [
      condition("InPool"),
      condition("Conflict", { status: "False", lastTransitionTime: now }),
      condition("Announceable"),
    ]);
  });

  test("the time stays while the status does", () => {
    const after = withCondition([condition("Ready")], state("Ready", { message: "Still well." }), now);
    assert.deepEqual(after, [condition("Ready", { message: "Still well." })]);
  });

  test("a new generation is written though everything else is the same", () => {
    const after = withCondition(
      [condition("Ready", { observedGeneration: 1 })],
      state("Ready", { observedGeneration: 2 }),
      now,
    );
    assert.deepEqual(after, [condition("Ready", { observedGeneration: 2 })]);
  });
});
