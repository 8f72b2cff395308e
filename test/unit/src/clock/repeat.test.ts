import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { repeat } from "../../../../src/clock/clock.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";

test("calls back after each wait until the signal is aborted, and holds on to nothing", async () => {
  const clock = new FakeClock();
  const { signal, abort } = controller();
  const calls: number[] = [];
  const startMs = clock.monotonicMs();
  const waits = [100, 50, 200];
  repeat(
    clock,
    () => waits.shift() ?? 1,
    () => calls.push(clock.monotonicMs() - startMs),
    signal,
  );
  assert.deepEqual(calls, []);
  await clock.advance(350);
  assert.deepEqual(calls, [100, 150, 350]);
  await clock.advance(1_000);
  assert.equal(calls.length, 1_003);
  assert.equal(getEventListeners(signal, "abort").length, 1);
  abort();
  assert.equal(clock.waiting, 0);
  await clock.advance(1_000);
  assert.equal(calls.length, 1_003);
});

test("a signal that is aborted already, or by the call itself, ends it", async () => {
  const clock = new FakeClock();
  repeat(
    clock,
    () => 1,
    () => assert.fail("called"),
    AbortSignal.abort(),
  );
  assert.equal(clock.waiting, 0);
  const { signal, abort } = controller();
  let calls = 0;
  repeat(
    clock,
    () => 1,
    () => {
      calls++;
      abort();
    },
    signal,
  );
  await clock.advance(10);
  assert.equal(calls, 1);
});

function controller(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const aborting = new AbortController();
  return { signal: aborting.signal, abort: () => aborting.abort() };
}
