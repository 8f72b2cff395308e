import assert from "node:assert/strict";
import { test } from "node:test";
import { PollingThread } from "../../../../speaker/polling-thread/polling-thread.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { silentLogger } from "../../../../src/log/log.ts";

function echoThread() {
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
    log: silentLogger,
  });
  const report = (text: string) => new Promise<void>((resolve) => waiting.set(text, resolve));
  return { thread, received, ended: ended.promise, report };
}

function causeOf(error: unknown): string {
  assert.ok(error instanceof BellhopError);
  assert.equal(error.code, "WorkerFailed");
  return String(error.cause);
}

test("a request wakes the thread, which is started with its data", async () => {
  const { thread, report } = echoThread();
  await thread.start("heard");
  assert.equal(thread.alive, true);
  const answer = report("heard one");
  thread.send("one");
  await answer;
  await thread.stop("stop");
});

test("after stop the thread has ended, and requests are dropped", async () => {
  const { thread, received, ended } = echoThread();
  await thread.start("heard");
  await thread.stop("stop");
  await ended;
  assert.equal(thread.alive, false);
  thread.send("late");
  assert.deepEqual(received, ["heard stop"]);
});

test("work that cannot be opened rejects the start with its error", async () => {
  const { thread } = echoThread();
  await assert.rejects(thread.start("broken"), (error) => causeOf(error).includes("cannot be opened"));
  assert.equal(thread.alive, false);
});

test("an error of the work ends the thread, and what it reported before is received", async () => {
  const { thread, received, ended } = echoThread();
  await thread.start("heard");
  thread.send("one");
  thread.send("break");
  assert.match(causeOf(await ended), /broken by a request/);
  assert.deepEqual(received, ["heard one"]);
});

test("a thread that was never started is stopped at once", async () => {
  await echoThread().thread.stop("stop");
});
