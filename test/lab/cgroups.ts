import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./error.ts";
import { waitFor } from "./wait.ts";

interface Hierarchy {
  point: string;
  version: 1 | 2;
}

/** Where this machine has mounted cgroups: one place with version 2, one for each kind of resource with version 1. */
function findHierarchies(): Hierarchy[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
  return mounts.flatMap((line): Hierarchy[] => {
    const [fields, source] = line.split(" - ");
    const point = fields?.split(" ")[4];
    const type = source?.split(" ")[0];
    if (point === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
    return [{ point, version: type === "cgroup" ? 1 : 2 }];
  });
}

/** The folders of a cgroup in all hierarchies. */
export function findCgroups(path: string): string[] {
  return findHierarchies()
    .map(({ point }) => join(point, path))
    .filter((folder) => existsSync(folder));
}

// What the kubelet insists on in the cgroup that it is given as its root, where the kernel has it.
const CONTROLLERS = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids"];

/** Hands the controllers of a cgroup of version 2 on to the cgroups below it. */
function delegate(folder: string): void {
  const words = (file: string) => readFileSync(join(folder, file), "utf8").trim().split(" ");
  const handedOn = words("cgroup.subtree_control");
  const missing = words("cgroup.controllers").filter((name) => CONTROLLERS.includes(name) && !handedOn.includes(name));
  if (missing.length === 0) return;
  try {
    writeFileSync(join(folder, "cgroup.subtree_control"), missing.map((name) => `+${name}`).join(" "));
  } catch (cause) {
    const said = `${folder} cannot hand on ${missing.join(", ")}: no process may live in a cgroup that does`;
    throw new LabError("command-failed", `${said} (${String(cause)})`, { cause });
  }
}

/**
 * Ten times the default (cpu.shares of cgroups version 1, cpu.weight of version 2): otherwise all pods of a lab together would get as much of
 * the processors as one busy program of the machine.
 */
const cpuWeights = { "cpu.shares": "10240", "cpu.weight": "1000" } as const;

function raiseCpuWeight(folder: string): void {
  for (const [file, weight] of Object.entries(cpuWeights)) {
    if (existsSync(join(folder, file))) writeFileSync(join(folder, file), weight);
  }
}

/** Makes a cgroup in all hierarchies, with everything that containers below it need. */
export function createCgroups(path: string): void {
  const hierarchies = findHierarchies();
  const unified = hierarchies.every(({ version }) => version === 2);
  for (const { point, version } of hierarchies) {
    let folder = point;
    for (const [depth, part] of path
      .split("/")
      .filter((part) => part !== "")
      .entries()) {
      if (unified) delegate(folder);
      const parent = folder;
      folder = join(folder, part);
      if (!existsSync(folder)) mkdirSync(folder);
      if (depth === 0) raiseCpuWeight(folder);
      // In version 1 a new cpuset has no processor and no memory, so that nothing could run in it.
      for (const file of version === 1 ? ["cpuset.cpus", "cpuset.mems"] : []) {
        const inherited = join(parent, file);
        if (existsSync(inherited)) writeFileSync(join(folder, file), readFileSync(inherited));
      }
    }
    if (unified) delegate(folder);
  }
}

function removeTree(folder: string): void {
  // What looks like files in there are the cgroup's settings; only cgroups below it stand in the way.
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}

/** Removes a cgroup and all below it from all hierarchies. Its processes must have been killed; as the kernel takes a
 * moment to forget them, this waits a little. */
export async function removeCgroups(path: string): Promise<void> {
  await waitFor({ what: `cgroup ${path} to be empty`, timeoutMs: 10_000, intervalMs: 20 }, async () => {
    for (const folder of findCgroups(path)) {
      try {
        removeTree(folder);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== "EBUSY" && code !== "ENOENT") throw error;
      }
    }
    return findCgroups(path).length === 0;
  });
}
