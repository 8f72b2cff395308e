import assert from "node:assert/strict";
import type { Cluster, RunningController } from "./cluster.ts";

/** Lets another controller take the place of the one that runs; it must find everything right, and write nothing. */
export async function expectSilentRestart(cluster: Cluster, running: RunningController): Promise<void> {
  await cluster.idle();
  await running.stop();
  const before = cluster.server.writes.length;
  await cluster.start();
  await cluster.idle();
  assert.deepEqual(cluster.server.writes.slice(before), []);
}
