import { existsSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { findCgroups, removeCgroups } from "./cgroups.ts";
import { LabError } from "./error.ts";
import { thawCgroup } from "./freezer.ts";
import { findProcessesOfLab, isAlive, labCgroup, networkOf, sendSignal } from "./processes.ts";
import { LabState } from "./state.ts";
import { waitFor } from "./wait.ts";

function findMounts(folder: string): string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`));
}

/** The network namespaces of the hosts that run now, as findLeftovers takes them. */
export function findNetworks(state: LabState): string[] {
  return state.processNames().flatMap((name) => {
    const record = state.readProcess(name);
    return record !== undefined && isAlive(record) ? [networkOf(record)] : [];
  });
}

/** What still exists of a lab on this machine: a line for each process, mount, cgroup and folder. Processes are found by
 * the lab's marker and cgroup, and by its network namespaces when these are given; a namespace with neither process nor
 * mount does not exist, and interfaces exist only inside the lab's own namespaces. */
export async function findLeftovers(name: string, networks: readonly string[] = []): Promise<string[]> {
  const { folder } = new LabState(name);
  return [
    ...findProcessesOfLab(name, networks).map((process) => `process ${process.pid}: ${process.command}`),
    ...findMounts(folder).map((point) => `mount ${point}`),
    ...findCgroups(labCgroup(name)).map((path) => `cgroup ${path}`),
    ...(existsSync(folder) ? [`folder ${folder}`] : []),
  ];
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOTEMPTY" && code !== "ENOENT") throw error;
  }
}

/** Removes whatever exists of a lab, whether it runs, was interrupted or crashed; nothing to remove is no failure. Throws
 * when something cannot be removed, and says what. */
export async function removeLab(state: LabState): Promise<void> {
  const networks = findNetworks(state);
  await thawCgroup(labCgroup(state.name));
  await waitFor({ what: `the processes of lab ${state.name} to end`, timeoutMs: 30_000, intervalMs: 20 }, async () => {
    const found = findProcessesOfLab(state.name, networks);
    for (const process of found) sendSignal(process, "SIGKILL");
    return found.length === 0;
  });
  await removeCgroups(labCgroup(state.name));
  // The lab mounts only in its own namespaces. Should that ever be wrong, deleting through a mount would be worse.
  const mounts = findMounts(state.folder);
  if (mounts.length > 0) throw new LabError("leftovers", `still mounted: ${mounts.join(", ")}`);
  rmSync(state.folder, { recursive: true, force: true });
  removeIfEmpty(dirname(state.folder));
  const leftovers = await findLeftovers(state.name, networks);
  if (leftovers.length > 0) throw new LabError("leftovers", `left of lab ${state.name}:\n${leftovers.join("\n")}`);
}
