import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Debounce } from "../../../../speaker/kernel/debounce.ts";

describe("Debounce", () => {
  test("is due after a pause, or a while after the first event", () => {
    const debounce = new Debounce(10, 50);
    assert.equal(debounce.dueMs, undefined);
    debounce.event(1000);
    assert.equal(debounce.dueMs, 1010);
    debounce.event(1005);
    assert.equal(debounce.dueMs, 1015);
    debounce.event(1049);
    assert.equal(debounce.dueMs, 1050);
  });

  test("what happens during a reading needs another, and a long reading is not repeated at once", () => {
    const debounce = new Debounce(10, 50);
    debounce.event(0);
    debounce.begin();
    assert.equal(debounce.dueMs, undefined);
    debounce.event(30);
    debounce.end(100, 70);
    assert.equal(debounce.dueMs, 800);
  });
});
