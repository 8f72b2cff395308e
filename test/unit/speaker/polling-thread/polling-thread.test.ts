import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PollingThread } from "../../../../speaker/polling-thread/polling-thread.ts";
import { type Clock, systemClock } from "../../../../src/clock/clock.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { silentLogger } from "../../../../src/log/log.ts";

/** The thread is stopped after the test, also after one that fails. */
function echoThread(context: TestContext, clock: Clock = systemClock) {
  const received: string[] = [];
  const ended = Promise.withResolvers<BellhopError>();
  const waiting = new Map<string, () => void>();
  const thread = new PollingThread<string, string>({
    name: "echo",
    program: new URL("./echo-thread.ts", import.meta.url),
    received(report) {
      received.push(report);
      waiting.get(report)?.();
    },
    ended: (error) => ended.resolve(error),
    hangMs: 300_000,
    clock,
    log: silentLogger,
  });
  context.after(() => thread.stop("stop"));
  const report = (text: string) => new Promise<void>((resolve) => waiting.set(text, resolve));
  return { thread, received, ended: ended.promise, report };
}

function causeOf(error: unknown): string {
  assert.ok(error instanceof BellhopError);
  assert.equal(error.code, "WorkerFailed");
  return String(error.cause);
}

test("a request wakes the thread, which is started with its data", async (context) => {
  const { thread, report } = echoThread(context);
  await thread.start("heard");
  assert.equal(thread.alive, true);
  const answer = report("heard one");
  thread.send("one");
  await answer;
  await thread.stop("stop");
});

test("what is sent before the thread reads requests is received in order, once it does", async (context) => {
  const { thread, received, report } = echoThread(context);
  thread.send("one");
  const started = thread.start("heard");
  thread.send("two");
  const answer = report("heard three");
  await started;
  thread.send("three");
  await answer;
  assert.deepEqual(received, ["heard one", "heard two", "heard three"]);
  await thread.stop("stop");
});

test("after stop the thread has ended, and requests are dropped", async (context) => {
  const { thread, received, ended } = echoThread(context);
  await thread.start("heard");
  await thread.stop("stop");
  await ended;
  assert.equal(thread.alive, false);
  thread.send("late");
  assert.deepEqual(received, ["heard stop"]);
});

test("work that cannot be opened rejects the start with its error", async (context) => {
  const { thread } = echoThread(context);
  await assert.rejects(thread.start("broken"), (error) => causeOf(error).includes("cannot be opened"));
  assert.equal(thread.alive, false);
});

test("an error of the work ends the thread, and what it reported before is received", async (context) => {
  const { thread, received, ended } = echoThread(context);
  await thread.start("heard");
  thread.send("one");
  thread.send("break");
  assert.match(causeOf(await ended), /broken by a request/);
  assert.deepEqual(received, ["heard one"]);
});

test("a thread that was never started is stopped at once", async (context) => {
  await echoThread(context).thread.stop("stop");
});

test("a thread that does nothing for the limit counts as ended, and one that does something does not", async (context) => {
  const clock = new FakeClock();
  const { thread, ended, report } = echoThread(context, clock);
  await thread.start("heard");
  await clock.advance(200_000);
  // The thread counts a request after its answer, so that the answer alone does not say that it is counted.
  const turn = report("heard its turn");
  thread.send("turn");
  await turn;
  await clock.advance(200_000);
  assert.equal(thread.alive, true);
  assert.ok(thread.silentMs > 190_000);
  await clock.advance(102_000);
  assert.equal(thread.alive, false);
  assert.match((await ended).message, /the echo thread has done nothing for 300 s/);
  await thread.stop("stop");
});

test("a process that was frozen for an hour has no thread that hangs", async (context) => {
  const clock = new FakeClock();
  const { thread } = echoThread(context, clock);
  await thread.start("heard");
  clock.stall(3_600_000);
  await clock.advance(10_000);
  assert.equal(thread.alive, true);
  await thread.stop("stop");
});

test("a thread that waits in the kernel for what never comes delays neither stop nor the end of the process", () => {
  const program = fileURLToPath(new URL("./hanging-process.ts", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [program], { timeout: 60_000, encoding: "utf8" });
  assert.deepEqual({ status, stdout }, { status: 7, stdout: "stopped\n" });
});
