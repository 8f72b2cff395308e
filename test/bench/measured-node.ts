import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Options with which Node has the heap that it has in the controller's container: the limit that it derives from the memory limit of
 * 512 MiB (v8.getHeapStatistics()), and NODE_OPTIONS of deploy/base/controller.yaml. Elsewhere it derives the limit from the machine's
 * memory, and collects garbage later.
 */
const containerHeap = ["--max-old-space-size=256", "--max-semi-space-size=8"];
/** The lowest real-time priority. */
const realTime = ["--rr", "1"];
const mayBeRealTime = spawnSync("chrt", [...realTime, "true"]).status === 0;

/**
 * How a program is run whose memory and stalls are measured: with the heap of the controller's container and, where that is allowed, with
 * real-time priority, so that other programs of the machine do not add to its stalls.
 */
export const measuredNode: { readonly command: string; readonly options: readonly string[] } = mayBeRealTime
  ? { command: "chrt", options: [...realTime, process.execPath, ...containerHeap] }
  : { command: process.execPath, options: containerHeap };

/** NODE_OPTIONS with which Node has the heap that it has in the speaker's container of a checkout. Without an option there, Node takes 1 MiB. */
export function speakerNodeOptions(checkout: string): string {
  const manifest = readFileSync(join(checkout, "deploy/base/speaker.yaml"), "utf8");
  const [, given = "--max-semi-space-size=1"] = /name: NODE_OPTIONS\s+value: (\S+)/.exec(manifest) ?? [];
  return `--max-old-space-size=256 ${given}`;
}
