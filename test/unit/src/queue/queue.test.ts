import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { Queue } from "../../../../src/queue/queue.ts";

function harness(workers: number, failing: (key: string) => unknown = () => undefined) {
  const clock = new FakeClock();
  const started: string[] = [];
  const running = new Map<string, () => void>();
  const waits: number[] = [];
  const queue = new Queue<string>({
    workers,
    clock,
    random: () => 1,
    handle: async (key) => {
      assert.equal(running.has(key), false, `${key} runs twice at once`);
      started.push(key);
      await new Promise<void>((resolve) => running.set(key, resolve));
      running.delete(key);
      const error = failing(key);
      if (error === "retry") return "retry";
      if (error !== undefined) throw error;
      return "done";
    },
    onFailure: (_key, _error, waitMs) => waits.push(waitMs),
    retryAfterMs: (error) => (error as { retryAfterMs?: number }).retryAfterMs,
  });
  const finish = async (key: string): Promise<void> => {
    running.get(key)?.();
    await settle();
  };
  return { clock, queue, started, finish, waits };
}

test("nothing is handled before start, then each key once", () => {
  const { queue, started } = harness(3);
  for (const key of ["a", "b", "a"]) queue.add(key);
  assert.deepEqual(started, []);
  queue.start();
  assert.deepEqual(started, ["a", "b"]);
});

test("a key that is added while it is worked on runs again afterwards, once", async () => {
  const { queue, started, finish } = harness(3);
  queue.start();
  queue.add("a");
  queue.add("a");
  queue.add("a");
  assert.deepEqual(started, ["a"]);
  await finish("a");
  assert.deepEqual(started, ["a", "a"]);
  await finish("a");
  assert.deepEqual(started, ["a", "a"]);
});

test("no more workers than allowed", async () => {
  const { queue, started, finish } = harness(2);
  queue.start();
  for (const key of ["a", "b", "c"]) queue.add(key);
  assert.deepEqual(started, ["a", "b"]);
  assert.equal(queue.depth, 1);
  await finish("b");
  assert.deepEqual(started, ["a", "b", "c"]);
});

test("waits longer after each failure, and from the start again after a success", async () => {
  let broken = true;
  const { queue, clock, finish, waits } = harness(1, () => (broken ? new Error("no") : undefined));
  queue.start();
  queue.add("a");
  for (let turn = 0; turn < 3; turn++) {
    await finish("a");
    await clock.advance(60_000);
  }
  broken = false;
  await finish("a");
  assert.equal(queue.failing, 0);
  broken = true;
  queue.add("a");
  await finish("a");
  assert.deepEqual(waits, [200, 400, 800, 200]);
});

test("an error may require a longer wait", async () => {
  const { queue, finish, waits } = harness(1, () => ({ retryAfterMs: 7_000 }));
  queue.start();
  queue.add("a");
  await finish("a");
  assert.deepEqual(waits, [7_000]);
});

test("addAfter keeps the sooner of two times", async () => {
  const { queue, clock, started } = harness(1);
  queue.start();
  queue.addAfter("a", 1_000);
  queue.addAfter("a", 500);
  queue.addAfter("a", 2_000);
  await clock.advance(499);
  assert.deepEqual(started, []);
  await clock.advance(1);
  assert.deepEqual(started, ["a"]);
  assert.equal(clock.waiting, 0);
});

test("stop waits for what is under way and keeps what waits", async () => {
  const { queue, clock, started, finish } = harness(1);
  queue.start();
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 1_000);
  let stopped = false;
  const stopping = queue.stop().then(() => {
    stopped = true;
  });
  await settle();
  assert.equal(stopped, false);
  await finish("a");
  await stopping;
  assert.equal(clock.waiting, 0);
  queue.start();
  await finish("b");
  assert.deepEqual(started, ["a", "b", "c"]);
});

for (const hours of [6, -6]) {
  test(`a wall clock that is set by ${hours} h changes no wait`, async () => {
    const { clock, queue, started, finish, waits } = harness(1, () => new Error("no"));
    queue.add("a");
    queue.start();
    await finish("a");
    const [waitMs = 0] = waits;
    clock.stepWall(hours * 3_600_000);
    await clock.advance(waitMs - 1);
    assert.equal(started.length, 1);
    await clock.advance(1);
    assert.equal(started.length, 2);
  });
}

test("work that asks to be done again waits like failed work, and is not reported as a failure", async () => {
  let result: unknown = "retry";
  const { clock, queue, started, finish, waits } = harness(1, () => result);
  queue.start();
  queue.add("a");
  await finish("a");
  assert.equal(queue.failing, 1);
  await clock.advance(60_000);
  assert.deepEqual(started, ["a", "a"]);
  result = undefined;
  await finish("a");
  assert.equal(queue.failing, 0);
  assert.deepEqual(waits, []);
});
