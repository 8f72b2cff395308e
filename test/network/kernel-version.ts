import { release } from "node:os";

/** Whether this machine's kernel is older than a version, by the numbers of `uname -r`: `isOlderThan(6, 18)`. */
export function isOlderThan(major: number, minor: number, running: string = release()): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(running) ?? [];
  if (first === undefined || second === undefined) throw new Error(`${running} is not a version of Linux`);
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}
