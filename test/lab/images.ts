import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hashAgnhostParts, writeAgnhost } from "./agnhost-image.ts";
import { cached, type Programs } from "./build-cache.ts";
import { runChecked } from "./command.ts";
import { enterHost } from "./namespaces.ts";
import { imageArchitecture, writeImageArchive } from "./oci-archive.ts";
import type { Progress } from "./progress.ts";
import type { LabState } from "./state.ts";

/** The name under which upstream's own manifests and tests of this Kubernetes version request the image. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10.2";

export interface ImageArchives {
  pause: string;
  agnhost: string;
}

async function writePause(programs: Programs, folder: string): Promise<void> {
  const root = join(folder, "pause-root");
  mkdirSync(root);
  copyFileSync(join(programs.folder, "pause"), join(root, "pause"));
  const image = { name: PAUSE_IMAGE, root, entrypoint: ["/pause"] };
  await writeImageArchive(image, join(folder, "pause.tar"), join(folder, "scratch"));
  rmSync(root, { recursive: true });
}

/** The archives of the images that every lab has, made when the cache does not hold them yet. */
export async function buildImages(programs: Programs, progress: Progress): Promise<ImageArchives> {
  const hash = createHash("sha256").update(JSON.stringify([programs.key, imageArchitecture()]));
  for (const file of ["images.ts", "oci-archive.ts"]) hash.update(readFileSync(join(import.meta.dirname, file)));
  hashAgnhostParts(hash);
  const folder = await cached("images", hash.digest("hex").slice(0, 16), progress, (unfinished) =>
    progress.step("Make the images agnhost and pause", async () => {
      await writePause(programs, unfinished);
      await writeAgnhost(programs.agnhost, unfinished, join(unfinished, "agnhost.tar"));
    }),
  );
  return { pause: join(folder, "pause.tar"), agnhost: join(folder, "agnhost.tar") };
}

/** Gives a node the image (or images) in an archive, in the OCI layout or as `docker save` writes it, under the names in
 * the archive. `name` gives it another one, which an archive that holds only a tag needs. */
export async function importImage(state: LabState, node: string, archive: string, name?: string): Promise<void> {
  const naming = name === undefined ? [] : ["--index-name", name];
  const command = ["/run/lab/bin/ctr", "--namespace", "k8s.io", "images", "import", ...naming, "-"];
  await runChecked([...enterHost(state, node), ...command], { inputFile: archive, timeoutMs: 300_000 });
}
