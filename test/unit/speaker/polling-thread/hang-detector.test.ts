import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { AliveCounter } from "../../../../speaker/polling-thread/alive-counter.ts";
import { HangDetector } from "../../../../speaker/polling-thread/hang-detector.ts";

const limitMs = 60_000;

function makeDetector() {
  const counter = new AliveCounter();
  const clock = { nowMs: 0 };
  const detector = new HangDetector({
    count: () => counter.count(),
    now: () => clock.nowMs,
    limitMs,
    longestLookMs: 1_500,
  });
  /** Looks once a second; gives after how many seconds the thread counted as hung. */
  const lookFor = (seconds: number): number | undefined => {
    for (let second = 1; second <= seconds; second++) {
      clock.nowMs += 1000;
      if (detector.hangs()) return second;
    }
    return undefined;
  };
  return { counter, clock, detector, lookFor };
}

describe("a thread that hangs", () => {
  test("is noticed after the limit", () => assert.equal(makeDetector().lookFor(100), 60));

  test("that comes back in time starts from zero", () => {
    const { counter, lookFor } = makeDetector();
    assert.equal(lookFor(59), undefined);
    counter.increment();
    assert.equal(lookFor(60), undefined);
    assert.equal(lookFor(1), 1);
  });

  test("is not one whose whole process was frozen for an hour", () => {
    const { clock, detector, counter, lookFor } = makeDetector();
    assert.equal(lookFor(5), undefined);
    clock.nowMs += 3_600_000;
    assert.equal(detector.hangs(), false);
    counter.increment();
    assert.equal(lookFor(59), undefined);
  });

  test("is ended by another thread, with its exit code", () => {
    const source = `
      import { Worker } from "node:worker_threads";
      const libc = ${JSON.stringify(new URL("../../../../src/libc/libc.ts", import.meta.url).href)};
      new Worker(\`import(\${JSON.stringify(libc)}).then(({ endProcess }) => endProcess(70))\`, { eval: true });
      setTimeout(() => { for (;;); }, 1);`;
    const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", source], { timeout: 30_000 });
    assert.equal(status, 70);
  });
});
