import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncLoop, type SyncLoopOptions } from "../../../speaker/sync-loop.ts";
import { FakeClock } from "../../../src/clock/fake.ts";
import { silentLogger } from "../../../src/log/log.ts";

/** A loop whose parts do nothing. `syncs`: what each sync has planned. */
function loopOf(syncs: string[]): SyncLoop {
  let planned: string[] = [];
  const options = {
    announcer: {
      lanInterfaces: [],
      planAll: () => planned.push("all"),
      plan: (name: string) => planned.push(name),
      rulesApplied: () => false,
      apply: () => {
        syncs.push(planned.join(" "));
        planned = [];
      },
    },
    passingOn: { apply: () => undefined, written: () => [] },
    rules: { render: () => undefined, node: { addresses: {} } },
    dataplane: {
      setInterfaces: () => undefined,
      apply: () => Promise.resolve({ newAddresses: [], refusalsChanged: [], failures: [] }),
      services: [],
      nextDueMs: undefined,
    },
    virtualIps: { views: new Map() },
    host: { links: [] },
    metrics: {},
    changes: { failed: (error: unknown) => assert.fail(String(error)), rulesWritten: () => undefined },
    clock: new FakeClock(),
    random: () => 0.5,
    log: silentLogger,
  };
  return new SyncLoop(options as unknown as SyncLoopOptions);
}

/** Long enough for every sync that is due. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a burst of changes is one sync, and no empty one follows", async () => {
  const syncs: string[] = [];
  const loop = loopOf(syncs);
  loop.start();
  await idle();
  assert.deepEqual(syncs, ["all"]);
  loop.virtualIpChanged("a");
  // As another event that was already received arrives.
  setImmediate(() => loop.virtualIpChanged("d"));
  queueMicrotask(() => loop.virtualIpChanged("b"));
  loop.virtualIpChanged("c");
  await idle();
  assert.equal(syncs.filter((names) => names === "").length, 0);
  assert.deepEqual(syncs.slice(1).join(" ").split(" ").sort(), ["a", "b", "c", "d"]);
  assert.equal(syncs[1]?.includes("b"), true, "what came before the sync began belongs to it");
});

test("a change during a sync is in the next one", async () => {
  const syncs: string[] = [];
  const loop = loopOf(syncs);
  loop.start();
  await new Promise((resolve) => setImmediate(resolve));
  loop.virtualIpChanged("late");
  await idle();
  assert.deepEqual(syncs, ["all", "late"]);
});
