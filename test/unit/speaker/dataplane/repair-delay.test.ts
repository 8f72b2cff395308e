import assert from "node:assert/strict";
import { test } from "node:test";
import { RepairDelay } from "../../../../speaker/dataplane/repair-delay.ts";

test("a table is repaired at once, and ever more slowly where another program keeps changing it", () => {
  const delay = new RepairDelay();
  const waits = Array.from({ length: 10 }, (_, count) => delay.nextMs(count * 1000));
  assert.deepEqual(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(delay.nextMs(9000 + 30_000 + 60_001), 0);
});
