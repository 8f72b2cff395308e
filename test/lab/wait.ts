import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./error.ts";

export interface WaitOptions {
  /** What is waited for, as it shall read after "waited 5 s for ". */
  what: string;
  timeoutMs: number;
  /** The pause between two looks; 50 when left out. */
  intervalMs?: number;
  /** A log whose last lines go into the message when the wait fails. */
  logFile?: string;
  /** Told false, the wait ends at once: what could still make it true is dead. */
  hope?: () => boolean;
}

/** The last lines of a log, or a note that there is none: this only ever decorates another message. */
export function logTail(path: string, lines = 15): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch (error) {
    return `(${path} cannot be read: ${String(error)})`;
  }
}

/** Each kubelet and containerd watches files; the limit counts for all labs and everything else of the user together. */
const watchesUsedUp = "too many open files";

function describeLog(path: string): string {
  const tail = logTail(path);
  const cure = tail.includes(watchesUsedUp)
    ? "\nthe machine's limit fs.inotify.max_user_instances is used up: take another lab down, or raise it with sysctl"
    : "";
  return `\nend of ${path}:\n${tail}${cure}`;
}

/** Looks again and again until `look` gives something else than undefined or false, and gives that. What `look`
 * throws ends the wait at once, except a "timeout" or "command-failed", which count as "not yet". */
export async function waitFor<T>(options: WaitOptions, look: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + options.timeoutMs;
  let last = "";
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      if (!(error instanceof LabError) || (error.code !== "timeout" && error.code !== "command-failed")) throw error;
      last = `\nlast answer: ${error.message}`;
    }
    const log = () => (options.logFile === undefined ? "" : describeLog(options.logFile));
    if (options.hope?.() === false) {
      throw new LabError("not-running", `${options.what}: will not happen, the process has ended${log()}`);
    }
    if (Date.now() >= end) {
      throw new LabError("timeout", `waited ${options.timeoutMs / 1000} s for ${options.what}${last}${log()}`);
    }
    await sleep(options.intervalMs ?? 50);
  }
}
