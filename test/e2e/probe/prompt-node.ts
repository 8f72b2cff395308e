import { spawnSync } from "node:child_process";

/** The lowest real-time priority. */
const realTime = ["--rr", "1"];

/**
 * How Node is run for a program that measures others on a busy machine: with real-time priority where that is allowed, so that the delays that
 * it reports are not its own.
 */
export const promptNode: readonly string[] =
  spawnSync("chrt", [...realTime, "true"]).status === 0 ? ["chrt", ...realTime, process.execPath] : [process.execPath];
