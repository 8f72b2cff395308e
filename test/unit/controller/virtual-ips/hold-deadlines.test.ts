import assert from "node:assert/strict";
import { test } from "node:test";
import { HoldDeadlines } from "../../../../controller/virtual-ips/hold-deadlines.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";

test("holds that are over are forgotten, also beside one that lasts long", async () => {
  const clock = new FakeClock();
  const deadlines = new HoldDeadlines(clock);
  const dayMs = 24 * 3_600_000;
  const longEnd = clock.wallMs() + dayMs;
  deadlines.begin("long", longEnd, dayMs);
  const ends = new Map<string, number>();
  for (let count = 0; count < 1_000; count++) {
    const end = clock.wallMs() + 10_000;
    ends.set(`short-${count}`, end);
    deadlines.begin(`short-${count}`, end, 10_000);
    await clock.advance(1_000);
  }
  // Those that are forgotten go by the wall clock.
  clock.stepWall(-3_600_000);
  const kept = [...ends].filter(([name, end]) => deadlines.remainingMs(name, end) <= 10_000);
  assert.ok(kept.length < 50, `${kept.length} are remembered`);
  assert.equal(deadlines.remainingMs("long", longEnd), dayMs - 1_000_000, "by the monotonic clock");
});
