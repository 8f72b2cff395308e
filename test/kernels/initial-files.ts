import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runChecked } from "../lab/command.ts";
import type { KernelFiles } from "./kernel-package.ts";

/** What the kernel needs before it can read the files of this machine. */
const firstModules = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/**
 * Makes the archive of files with which the kernel begins: busybox, modules, and `guest/init.sh`, which mounts the files of this machine. `variables`
 * are exported to the scripts. Returns its path, in the folder.
 */
export async function makeInitialFiles(
  kernel: KernelFiles,
  folder: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const root = join(folder, "initial");
  rmSync(root, { recursive: true, force: true });
  for (const part of ["bin", "modules"]) mkdirSync(join(root, part), { recursive: true });
  cpSync("/bin/busybox", join(root, "bin/busybox"));
  copyFileSync(join(import.meta.dirname, "guest/init.sh"), join(root, "init"));
  const lines = Object.entries(variables).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`,
  );
  writeFileSync(join(root, "variables"), lines.join(""));
  const order: string[] = [];
  for (const file of await modulesInOrder(kernel)) {
    const name = basename(file).replace(/\.xz$/, "");
    order.push(name);
    if (file.endsWith(".xz")) await runChecked(["sh", "-ec", `xz -dc '${file}' > '${join(root, "modules", name)}'`]);
    else copyFileSync(file, join(root, "modules", name));
  }
  writeFileSync(join(root, "modules/order"), order.join("\n"));
  const archive = join(folder, "initial.cpio");
  await runChecked(["sh", "-ec", `chmod +x init; find . | busybox cpio -o -H newc > '${archive}'`], { cwd: root });
  return archive;
}

async function modulesInOrder(kernel: KernelFiles): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const module of firstModules) {
    const output = await runChecked(["modprobe", "-d", kernel.root, "-S", kernel.release, "--show-depends", module]);
    for (const [, file = ""] of output.matchAll(/^insmod (\S+)/gm)) files.add(file);
  }
  return [...files];
}
