import assert from "node:assert/strict";
import { test } from "node:test";
import { RepairDelay } from "../../../../speaker/dataplane/repair-delay.ts";

test("a table is repaired at once, and after at most a second where another program keeps changing it", () => {
  const delay = new RepairDelay();
  const waits = Array.from({ length: 6 }, (_, count) => delay.nextMs(count * 1000));
  assert.deepEqual(waits, [0, 250, 500, 1000, 1000, 1000]);
  assert.equal(delay.nextMs(5000 + 1000 + 60_001), 0);
});
