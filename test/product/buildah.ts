import { join } from "node:path";

/**
 * A buildah command on a store of the project's own under `cache`: no daemon, and nothing of the machine's own images is seen
 * or touched.
 */
export function buildah(cache: string, verb: string, ...args: readonly string[]): readonly string[] {
  const store = [
    "--root",
    join(cache, "images"),
    "--runroot",
    join(cache, "images-run"),
    "--storage-driver",
    "overlay",
  ];
  return ["buildah", ...store, verb, ...args];
}
