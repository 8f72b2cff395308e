import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecked } from "../../lab/command.ts";

/** A version of Bellhop whose image and manifests a bench installs. */
export interface Version {
  readonly name: "before" | "now";
  /** Where its sources and manifests are. */
  readonly checkout: string;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The files of the working tree, with all that is not committed. */
export const presentVersion: Version = { name: "now", checkout: root };

/** Writes the files of a commit, branch or tag into a folder below `folder`. */
export async function extractVersion(ref: string, folder: string): Promise<Version> {
  const checkout = join(folder, "before");
  mkdirSync(checkout);
  const archive = join(folder, "before.tar");
  await runChecked(["git", "-C", root, "archive", "--output", archive, ref]);
  await runChecked(["tar", "-xf", archive, "-C", checkout]);
  return { name: "before", checkout };
}
