import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./error.ts";
import { waitFor } from "./wait.ts";

/**
 * Where this machine freezes processes: the freezer hierarchy of cgroups version 1 (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst),
 * otherwise version 2, which can do it in every cgroup but the root (cgroup.freeze in Documentation/admin-guide/cgroup-v2.rst).
 */
interface Freezer {
  readonly point: string;
  readonly version: 1 | 2;
}

function findFreezer(): Freezer {
  let unified: Freezer | undefined;
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n")) {
    const [fields = "", source = ""] = line.split(" - ");
    const point = fields.split(" ")[4] ?? "";
    const [type, , options = ""] = source.split(" ");
    if (type === "cgroup" && options.split(",").includes("freezer")) return { point, version: 1 };
    if (type === "cgroup2") unified = { point, version: 2 };
  }
  if (unified !== undefined) return unified;
  throw new LabError("command-failed", "this machine has no cgroup that can freeze processes");
}

const frozenFile = { 1: "freezer.state", 2: "cgroup.freeze" } as const;
const frozenWord = { 1: ["THAWED", "FROZEN"], 2: ["0", "1"] } as const;

function isFrozen(folder: string, version: 1 | 2): boolean {
  if (version === 1) return readFileSync(join(folder, "freezer.state"), "utf8").trim() === "FROZEN";
  return /^frozen 1$/m.test(readFileSync(join(folder, "cgroup.events"), "utf8"));
}

async function setFrozen(folder: string, version: 1 | 2, frozen: boolean): Promise<void> {
  writeFileSync(join(folder, frozenFile[version]), frozenWord[version][frozen ? 1 : 0]);
  await waitFor(
    { what: `${folder} to be ${frozen ? "frozen" : "thawed"}`, timeoutMs: 10_000, intervalMs: 2 },
    async () => (isFrozen(folder, version) === frozen ? true : undefined),
  );
}

function move(file: string, id: number): void {
  try {
    writeFileSync(file, String(id));
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Freezes the cgroup and everything below it, after it has moved into it the processes that `find` returns; they stay in there. Returns when
 * none of them runs. New processes of others do not count.
 */
export async function freezeCgroup(path: string, find: () => readonly number[]): Promise<void> {
  const { point, version } = findFreezer();
  const folder = join(point, path);
  const rest = join(folder, "rest");
  mkdirSync(rest, { recursive: true });
  // Twice: a process may start another one before it is frozen itself.
  for (let round = 0; round < 2; round++) {
    const outside = find().filter((pid) => !isInside(pid, path, version));
    for (const pid of outside) move(join(rest, "cgroup.procs"), pid);
    await setFrozen(folder, version, true);
  }
}

function isInside(pid: number, path: string, version: 1 | 2): boolean {
  try {
    const own = readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(":"));
    const [, , cgroup = ""] =
      own.find(([, names]) => (version === 1 ? names?.split(",").includes("freezer") : names === "")) ?? [];
    return cgroup === path || cgroup.startsWith(`${path}/`);
  } catch {
    return true;
  }
}

/** Thaws the cgroup and each one below it; none is no failure. A frozen process of version 1 does not even end by SIGKILL. */
export async function thawCgroup(path: string): Promise<void> {
  const { point, version } = findFreezer();
  const folder = join(point, path);
  if (!existsSync(folder)) return;
  await setFrozen(folder, version, false);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await thawCgroup(join(path, entry.name));
  }
}

/** One thread that does not run until it is thawed. */
export interface FrozenThread {
  thaw(): Promise<void>;
}

/**
 * Freezes one thread of a process and leaves the others running, as if that thread never returned from what it does. It gets a cgroup of its
 * own below that of its process, which with version 2 is a threaded one.
 */
export async function freezeThread(pid: number, thread: number): Promise<FrozenThread> {
  const { point, version } = findFreezer();
  const line = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .trim()
    .split("\n")
    .map((text) => text.split(":"))
    .find(([, names]) => (version === 1 ? names?.split(",").includes("freezer") : names === ""));
  const home = join(point, line?.[2] ?? "/");
  const folder = join(home, `thread-${thread}`);
  const file = version === 1 ? "tasks" : "cgroup.threads";
  mkdirSync(folder);
  if (version === 2) writeFileSync(join(folder, "cgroup.type"), "threaded");
  writeFileSync(join(folder, file), String(thread));
  await setFrozen(folder, version, true);
  return {
    async thaw() {
      await setFrozen(folder, version, false);
      move(join(home, file), thread);
      await waitFor({ what: `${folder} to be removed`, timeoutMs: 5_000, intervalMs: 10 }, async () => {
        try {
          rmdirSync(folder);
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
          if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
          return undefined;
        }
      });
    },
  };
}
