import assert from "node:assert/strict";
import type { Cluster, RunningController } from "./cluster.ts";
import { quiet } from "./eventually.ts";

/** Lets another controller take the place of the one that runs; it must find everything right, and write nothing. */
export async function expectSilentRestart(cluster: Cluster, running: RunningController): Promise<void> {
  await quiet();
  await running.stop();
  const before = cluster.server.writes.length;
  await cluster.start();
  // Counts of pools are written after a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.deepEqual(cluster.server.writes.slice(before), []);
}
