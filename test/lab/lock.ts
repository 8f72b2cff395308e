import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { LabError } from "./error.ts";

/** Does the work while no other process on this machine does work under the same path. The kernel holds the lock for a
 * child of this process, so it is free again however this process ends. `onWait` is called once if another has it. */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const holder = spawn("flock", ["--exclusive", path, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
    // Not in the terminal's group: an interrupt shall reach the work first.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => holder.once("close", () => resolve()));
  const waiting = setTimeout(onWait, 300);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once("error", (cause) => reject(new LabError("command-failed", `flock cannot be run: ${cause.message}`)));
      holder.once("exit", (code) => reject(new LabError("command-failed", `flock ${path} ended with code ${code}`)));
      holder.stdout.once("data", () => resolve());
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
    await ended;
  }
}
