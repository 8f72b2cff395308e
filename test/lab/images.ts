import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { cached, type Programs } from "./build-cache.ts";
import { runChecked } from "./command.ts";
import { enterHost } from "./namespaces.ts";
import { imageArchitecture, writeImageArchive } from "./oci-archive.ts";
import type { Progress } from "./progress.ts";
import type { LabState } from "./state.ts";

/** The names under which upstream's own manifests and tests for this Kubernetes version ask for the two images. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10.2";
export const AGNHOST_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

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

const SHELL = "/bin/busybox";
const CURL = "/usr/bin/curl";

/** The shared libraries of a program of this machine, the dynamic loader among them. */
async function librariesOf(program: string): Promise<string[]> {
  const listed = await runChecked(["ldd", program]);
  return listed.split("\n").flatMap((line) => /(?:=>\s+|^\s+)(\/\S+)\s+\(0x/.exec(line)?.[1] ?? []);
}

// Upstream's tests run sh, wget, nc and curl in the agnhost container, so a bare agnhost is not enough.
async function writeAgnhost(programs: Programs, folder: string): Promise<void> {
  const root = join(folder, "agnhost-root");
  for (const part of ["bin", "usr/bin", "tmp", "etc"]) mkdirSync(join(root, part), { recursive: true });
  copyFileSync(programs.agnhost, join(root, "agnhost"));
  copyFileSync(SHELL, join(root, "bin/busybox"));
  const commands = await runChecked([SHELL, "--list"]);
  for (const command of commands.trim().split("\n")) {
    if (command !== "busybox") symlinkSync("busybox", join(root, "bin", command));
  }
  for (const file of [CURL, ...(await librariesOf(CURL))]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
  const environment = ["PATH=/usr/bin:/bin"];
  const image = { name: AGNHOST_IMAGE, root, entrypoint: ["/agnhost"], command: ["pause"], environment };
  await writeImageArchive(image, join(folder, "agnhost.tar"), join(folder, "scratch"));
  rmSync(root, { recursive: true });
}

/** The archives of the images that every lab has, made when the cache does not hold them yet. */
export async function buildImages(programs: Programs, progress: Progress): Promise<ImageArchives> {
  const hash = createHash("sha256").update(JSON.stringify([programs.key, imageArchitecture()]));
  for (const file of ["images.ts", "oci-archive.ts"]) hash.update(readFileSync(join(import.meta.dirname, file)));
  for (const file of [SHELL, CURL]) hash.update(readFileSync(file));
  const folder = await cached("images", hash.digest("hex").slice(0, 16), progress, (unfinished) =>
    progress.step("Make the images agnhost and pause", async () => {
      await writePause(programs, unfinished);
      await writeAgnhost(programs, unfinished);
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
