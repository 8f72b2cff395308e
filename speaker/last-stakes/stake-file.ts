import { constants } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where a speaker keeps what the next one on its node needs. */
export interface StakeFile {
  /** Undefined: there is no file, or it is not a file of this user alone. Rejects for every other failure. */
  read(): Promise<string | undefined>;
  /** Replaces the file at once as a whole. Rejects when the folder cannot be written. */
  write(text: string): Promise<void>;
}

/** Larger files are not read: 20,000 stakes take 4 MB. */
const longestFile = 16 * 1024 * 1024;

/** The name of the file in its folder. */
export const stakeFileName = "last-stakes.json";

/**
 * A file that only its user can read, because it contains the keys of heartbeats. The folder should be on a file system that is empty after a
 * reboot of the node, as `/run` is: the rules of addresses are gone then, too.
 */
export function stakeFileIn(folder: string): StakeFile {
  const path = join(folder, stakeFileName);
  return {
    async read() {
      try {
        const { uid, mode, size } = await stat(path);
        const isOurs = uid === process.getuid?.() && (mode & 0o077) === 0;
        return isOurs && size <= longestFile ? await readFile(path, "utf8") : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(text) {
      const draft = `${path}.new`;
      await rm(draft, { force: true });
      const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
      const file = await open(draft, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

/** Removes the file, whether there is one or not. */
export async function removeStakeFile(folder: string): Promise<void> {
  for (const name of [stakeFileName, `${stakeFileName}.new`]) await rm(join(folder, name), { force: true });
}
