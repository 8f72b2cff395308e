import { existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cached } from "../lab/build-cache.ts";
import { runChecked } from "../lab/command.ts";
import { LabError } from "../lab/error.ts";
import type { Progress } from "../lab/progress.ts";
import { DebianRelease } from "../network/debian-release.ts";
import { debianReleases, type LinuxVersion } from "./releases.ts";

/** A kernel of Debian, unpacked. */
export interface KernelFiles {
  /** As uname -r prints it: `5.10.0-32-amd64`. */
  readonly release: string;
  /** The compressed kernel. */
  readonly image: string;
  /** The folder that has lib/modules, for `modprobe -d`. */
  readonly root: string;
}

/** The kernel of this version, downloaded (50 to 110 MB) and unpacked when it is not in the cache of the lab. Rejects without a network. */
export async function fetchKernel(version: LinuxVersion, progress: Progress): Promise<KernelFiles> {
  const folder = await cached("kernel", version, progress, (unfinished) =>
    progress.step(`Download Linux ${version} of Debian ${debianReleases[version]}`, () =>
      download(debianReleases[version], unfinished),
    ),
  );
  const [image] = globSync(join(folder, "root/boot/vmlinuz-*"));
  if (image === undefined) throw new LabError("build-failed", `${folder} has no kernel: delete it and try again`);
  const release = basename(image).slice("vmlinuz-".length);
  return { release, image, root: modulesRoot(join(folder, "root"), release) };
}

async function download(suite: string, folder: string): Promise<void> {
  const lists = join(folder, "apt");
  mkdirSync(lists);
  const release = await DebianRelease.read(suite, lists);
  const [name] = await release.dependenciesOf("linux-image-amd64");
  if (name === undefined) throw new LabError("command-failed", `Debian ${suite} has no linux-image-amd64`);
  const root = join(folder, "root");
  for (const file of globSync(await release.download(name))) await runChecked(["dpkg-deb", "-x", file, root]);
  // Packages have the list of dependencies made when they are installed.
  const [modules = ""] = globSync(join(root, "{usr/lib,lib}/modules/*"));
  await runChecked(["depmod", "-b", modulesRoot(root, basename(modules)), basename(modules)]);
  rmSync(lists, { recursive: true });
}

/** Since trixie, packages have their modules in /usr/lib. */
function modulesRoot(root: string, release: string): string {
  return existsSync(join(root, "usr/lib/modules", release)) ? join(root, "usr") : root;
}
