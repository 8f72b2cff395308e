import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, SlowFakeClock } from "../../../../src/clock/fake.ts";
import { runInTurns, Turn, turnMs, turnOf } from "../../../../src/clock/turn.ts";
import { Queue } from "../../../../src/queue/queue.ts";

/** How many turns of the event loop pass while the work goes on. */
async function countTurns(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let working = true;
  const count = (): void => {
    turns++;
    if (working) setImmediate(count);
  };
  setImmediate(count);
  await work;
  working = false;
  return turns;
}

function* steps(count: number): Generator<void, number> {
  for (let step = 0; step < count; step++) yield;
  return count;
}

test("steps that take no time are done in one turn", async () => {
  let done: number | undefined;
  void runInTurns(new Turn(new FakeClock()), steps(1_000), () => true).then((value) => {
    done = value;
  });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(done, 1_000);
});

test("steps that take time are done in as many turns as they need", async () => {
  const turns = await countTurns(runInTurns(new Turn(new SlowFakeClock(2)), steps(100), () => true));
  assert.ok(turns >= Math.floor((100 * 2) / (turnMs + 4)), `${turns} turns`);
});

test("steps end early when their owner has stopped", async () => {
  let taken = 0;
  function* endless(): Generator<void, never> {
    for (;;) {
      taken++;
      yield;
    }
  }
  const result = await runInTurns(new Turn(new SlowFakeClock(turnMs)), endless(), () => taken < 50);
  assert.equal(result, undefined);
  assert.ok(taken >= 50 && taken < 60, `${taken} steps`);
});

test("a queue whose handlers wait for nothing leaves turns to others, and still handles every key", async () => {
  const clock = new SlowFakeClock(1);
  const handled: number[] = [];
  const all = Promise.withResolvers<void>();
  const queue = new Queue<number>({
    workers: 4,
    handle: async (key) => {
      handled.push(key);
      if (handled.length === 500) all.resolve();
      return "done";
    },
    onFailure: () => {},
    clock,
    random: () => 0,
  });
  for (let key = 0; key < 500; key++) queue.add(key);
  queue.start();
  assert.ok((await countTurns(all.promise)) >= 500 / (turnMs + 2));
  assert.deepEqual(
    handled.toSorted((a, b) => a - b),
    Array.from({ length: 500 }, (_, key) => key),
  );
  assert.equal(queue.depth, 0);
});

test("two that work by one clock share its turns, and both get on", async () => {
  const clock = new SlowFakeClock(turnMs);
  const turn = turnOf(clock);
  assert.equal(turnOf(clock), turn);
  const [left, right] = await Promise.all([
    runInTurns(turn, steps(20), () => true),
    runInTurns(turn, steps(20), () => true),
  ]);
  assert.deepEqual([left, right], [20, 20]);
});
