import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { LabError } from "./error.ts";
import { waitFor } from "./wait.ts";

/** Names one process for as long as the machine runs: a process id alone is given out again. */
export interface ProcessRecord {
  pid: number;
  /** Clock ticks between the machine's start and the process's, as in /proc/PID/stat. */
  startTime: number;
}

/** The environment variable that all processes of a lab inherit, so that they are found when all records are lost. */
export const LAB_MARKER = "BELLHOP_LAB";

/** The cgroup under which the containers of a lab run, in every hierarchy. */
export function labCgroup(name: string): string {
  return `/bellhop-${name}`;
}

// Processes come and go while /proc is read: for all readers below a vanished one is simply not there.
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}

function readNamespace(pid: number, kind: "net" | "pid"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

function allPids(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

/** The record of a living process; undefined when there is none, or only what it has left to its parent. */
export function findProcess(pid: number): ProcessRecord | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything; the third is the state.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie still has its sockets while another of its threads is on the way out.
  if ((fields[0] === "Z" || fields[0] === "X") && Number(fields[17]) <= 1) return undefined;
  return { pid, startTime: Number(fields[19]) };
}

export function isAlive(record: ProcessRecord): boolean {
  return findProcess(record.pid)?.startTime === record.startTime;
}

/** The name of the program that the process runs now, at most 15 characters of it. */
export function programName(pid: number): string | undefined {
  return readProc(pid, "comm")?.trim();
}

/** The only child of a process, such as of `unshare --fork`. */
export function findChild(pid: number): ProcessRecord | undefined {
  const first = readProc(pid, `task/${pid}/children`)?.trim().split(" ")[0];
  return first === undefined || first === "" ? undefined : findProcess(Number(first));
}

/** The process that another process namespace, that of `member`, knows as `innerPid`. */
export function findInNamespaceOf(member: number, innerPid: number): ProcessRecord | undefined {
  const namespace = readNamespace(member, "pid");
  const pid = allPids().find((candidate) => {
    if (readNamespace(candidate, "pid") !== namespace) return false;
    const ids = /^NSpid:\s+(.*)$/m.exec(readProc(candidate, "status") ?? "")?.[1];
    return ids?.split(/\s+/).at(-1) === String(innerPid);
  });
  return pid === undefined ? undefined : findProcess(pid);
}

/** Sends a signal; a process that has already ended is left alone and gives false. */
export function sendSignal(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (!isAlive(record)) return false;
  try {
    process.kill(record.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Kills the process and waits until it is gone. Its process namespace, if it is the first one there, goes with it. */
export async function killAndWait(record: ProcessRecord, timeoutMs = 20_000): Promise<void> {
  if (!sendSignal(record, "SIGKILL")) return;
  const what = `process ${record.pid} (${programName(record.pid)}) to end after SIGKILL`;
  await waitFor({ what, timeoutMs, intervalMs: 10 }, async () => !isAlive(record));
}

/** The processes in the process namespace of a process, but for those in namespaces below it, such as a node's pods. */
export function findNamespaceMembers(member: number): readonly number[] {
  const namespace = readNamespace(member, "pid");
  return allPids().filter((pid) => readNamespace(pid, "pid") === namespace);
}

/** The processes in a cgroup or below it whose command line, with spaces between the words, contains the text. */
export function findInCgroup(path: string, text: string): readonly FoundProcess[] {
  return allPids().flatMap((pid) => {
    if (!(readProc(pid, "cgroup") ?? "").includes(`:${path}/`)) return [];
    const command = (readProc(pid, "cmdline") ?? "").replaceAll("\0", " ").trim();
    const record = command.includes(text) ? findProcess(pid) : undefined;
    return record === undefined ? [] : [{ ...record, command }];
  });
}

export interface FoundProcess extends ProcessRecord {
  command: string;
}

/** All processes that belong to a lab: by the marker in their environment, by the cgroup of its containers, or by the
 * network namespaces given (as in /proc/PID/ns/net). This process and the ones that started it are never among them. */
export function findProcessesOfLab(name: string, networks: readonly string[] = []): FoundProcess[] {
  const own = new Set<number>();
  for (let pid = process.pid; pid > 0; pid = parentOf(pid)) own.add(pid);
  return allPids().flatMap((pid) => {
    if (own.has(pid)) return [];
    const marked = (readProc(pid, "environ") ?? "").split("\0").includes(`${LAB_MARKER}=${name}`);
    const inCgroup = (readProc(pid, "cgroup") ?? "").includes(`:${labCgroup(name)}/`);
    if (!marked && !inCgroup && !networks.includes(readNamespace(pid, "net") ?? "")) return [];
    const record = findProcess(pid);
    if (record === undefined) return [];
    return [{ ...record, command: (readProc(pid, "cmdline") ?? "").replaceAll("\0", " ").trim() }];
  });
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readProc(pid, "status") ?? "")?.[1] ?? 0);
}

/** The network namespace of a process, as findProcessesOfLab takes it. */
export function networkOf(record: ProcessRecord): string {
  const network = readNamespace(record.pid, "net");
  if (network === undefined) throw new LabError("not-running", `process ${record.pid} has ended`);
  return network;
}
