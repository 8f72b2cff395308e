import { existsSync, statfsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { LabError } from "../lab/error.ts";
import { cacheFolder, labsFolder } from "../lab/state.ts";

const gibibyte = 1024 ** 3;

/** What the parts take: e2e.test and its packages in Go's cache about 1.5 GiB, a lab with its images about 1.5 GiB. */
const neededBytes = 3 * gibibyte;

/** The nearest folder above a path that exists. */
function existing(path: string): string {
  return existsSync(path) || path === "/" ? path : existing(dirname(path));
}

/** Throws when one of the folders that a run fills has too little room, and names it. */
export function checkDiskSpace(folders: readonly string[] = runFolders(), needed = neededBytes): void {
  for (const folder of folders) {
    const { bavail, bsize } = statfsSync(existing(folder));
    const free = bavail * bsize;
    if (free >= needed) continue;
    const gibibytes = (bytes: number) => (bytes / gibibyte).toFixed(1);
    const message = `${folder} has ${gibibytes(free)} GiB free, and a run needs ${gibibytes(needed)} GiB there`;
    throw new LabError(
      "disk-full",
      `${message}: make room, or set BELLHOP_CACHE, BELLHOP_LABS or GOCACHE to another disk`,
    );
  }
}

function runFolders(): readonly string[] {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return [cacheFolder(), labsFolder(), process.env.GOCACHE || join(caches, "go-build")];
}
