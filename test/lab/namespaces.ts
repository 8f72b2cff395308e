import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { LabError } from "./error.ts";
import {
  findChild,
  findInNamespaceOf,
  findProcess,
  isAlive,
  LAB_MARKER,
  type ProcessRecord,
  programName,
} from "./processes.ts";
import type { LabState } from "./state.ts";
import { logTail, waitFor } from "./wait.ts";

/** The host whose network is the LAN's cabling, and in whose process namespace everything of the lab lives. */
export const ROOT_HOST = "lan";

const BOOT = join(import.meta.dirname, "boot");
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Nodes have processes and files of their own; other hosts only a network and a name. */
export function isNode(host: string): boolean {
  return /^n[1-9]$/.test(host);
}

/** The process that holds a host's namespaces; throws when the host is switched off. */
export function hostProcess(state: LabState, host: string): ProcessRecord {
  const record = state.readProcess(host);
  if (record !== undefined && isAlive(record)) return record;
  throw new LabError("not-running", `host ${host} of lab ${state.name} is not running`);
}

/** The environment of the lab's own programs: nothing of the caller's, such as its proxies, gets in. */
function labEnvironment(state: LabState, programs: string): NodeJS.ProcessEnv {
  return { PATH: `${programs}:${SYSTEM_PATH}`, HOME: "/root", LANG: "C.UTF-8", [LAB_MARKER]: state.name };
}

/** Names in /proc/PID/ns by the options of nsenter. */
const namespaceFiles = { net: "net", uts: "uts", pid: "pid", mount: "mnt", ipc: "ipc" } as const;

/** The words that enter namespaces of a host. */
function enterNamespaces(state: LabState, host: string, options: readonly (keyof typeof namespaceFiles)[]): string[] {
  const target = `/proc/${hostProcess(state, host).pid}/ns`;
  return ["nsenter", ...options.map((option) => `--${option}=${target}/${namespaceFiles[option]}`), "--"];
}

/** The words to put before a command so that it has a host's network and name, and the caller's files and processes. */
export function enterNetwork(state: LabState, host: string): string[] {
  return enterNamespaces(state, host, ["net", "uts"]);
}

/** The words to put before a command so that it runs on a host. On a node it sees the node's files and processes, and
 * dies with the process that these words start; on other hosts it keeps the caller's files, and is that process. */
export function enterHost(state: LabState, host: string): string[] {
  if (!isNode(host)) return enterNetwork(state, host);
  const own = enterNamespaces(state, host, ["net", "uts", "pid", "mount", "ipc"]);
  return [...own, "setpriv", "--pdeathsig", "KILL", "--"];
}

export interface Daemon {
  /** The name of its log and of its record. */
  name: string;
  host: string;
  argv: readonly string[];
  /** The folder with the lab's programs, as seen from the host. */
  programs: string;
}

/** Starts a program on a host and lets go of it: it outlives this process and dies with the host's node or lab. On
 * hosts that are not nodes it has the files and processes of the lab's root. */
export async function startDaemon(state: LabState, daemon: Daemon): Promise<ProcessRecord> {
  const host = hostProcess(state, daemon.host);
  const owner = isNode(daemon.host) ? host : hostProcess(state, ROOT_HOST);
  const shared = ["pid", "mnt", "ipc"].map((kind) => `/proc/${owner.pid}/ns/${kind}`);
  const argv = [
    ...[`--net=/proc/${host.pid}/ns/net`, `--uts=/proc/${host.pid}/ns/uts`],
    ...[`--pid=${shared[0]}`, `--mount=${shared[1]}`, `--ipc=${shared[2]}`, "--"],
    // The shell ends at once, so that the first process of the namespace becomes the program's parent.
    ...["sh", "-c", '"$@" 3>&- & echo $! >&3', "sh", ...daemon.argv],
  ];
  const logFile = state.logFile(daemon.name);
  const log = openSync(logFile, "a");
  let innerPid: string;
  try {
    const env = labEnvironment(state, daemon.programs);
    const child = spawn("nsenter", argv, { stdio: ["ignore", log, log, "pipe"], env, cwd: "/", detached: true });
    const output = child.stdio[3];
    if (!(output instanceof Readable)) throw new Error("nsenter has no pipe");
    const ended = new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve());
    });
    [innerPid] = await Promise.all([text(output), ended]);
  } finally {
    closeSync(log);
  }
  const record = findInNamespaceOf(owner.pid, Number(innerPid));
  if (record === undefined || innerPid === "") {
    throw new LabError("command-failed", `${daemon.name} ended as soon as it was started:\n${logTail(logFile)}`);
  }
  state.writeProcess(daemon.name, record);
  return record;
}

async function booted(state: LabState, name: string, starter: ProcessRecord, find: () => ProcessRecord | undefined) {
  const logFile = state.logFile(name);
  const record = await waitFor(
    { what: `host ${name} to boot`, timeoutMs: 10_000, intervalMs: 5, logFile },
    async () => {
      if (!isAlive(starter)) throw new LabError("not-running", `host ${name} did not boot:\n${logTail(logFile)}`);
      const holder = find();
      return holder !== undefined && programName(holder.pid) === "pause" && holder;
    },
  );
  state.writeProcess(name, record);
}

/** Starts the process whose end is the end of the whole lab. `programs` is the folder with the lab's programs. */
export async function bootRoot(state: LabState, programs: string): Promise<void> {
  const logFile = state.logFile(ROOT_HOST);
  const log = openSync(logFile, "a");
  try {
    const flags = ["--fork", "--kill-child", "--pid", "--mount", "--net", "--uts", "--ipc", "--mount-proc", "--"];
    const boot = ["sh", join(BOOT, "root.sh"), state.name, join(programs, "pause")];
    const env = labEnvironment(state, programs);
    const child = spawn("unshare", [...flags, ...boot], { stdio: ["ignore", log, log], env, cwd: "/", detached: true });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    const starter = findProcess(child.pid ?? 0);
    if (starter === undefined) throw new LabError("command-failed", `unshare ended at once:\n${logTail(logFile)}`);
    await booted(state, ROOT_HOST, starter, () => findChild(starter.pid));
  } finally {
    closeSync(log);
  }
}

/** Starts a host that is not a node. It has no interface yet. */
export async function bootHost(state: LabState, host: string, forwards: boolean, programs: string): Promise<void> {
  const boot = ["sh", join(BOOT, "host.sh"), host, forwards ? "1" : "0", join(programs, "pause")];
  const argv = ["unshare", "--net", "--uts", "--", ...boot];
  const starter = await startDaemon(state, { name: host, host: ROOT_HOST, argv, programs });
  await booted(state, host, starter, () => starter);
}

/** Starts a node, whose files are kept in the folder `disk` from one start to the next. It has no interface yet. */
export async function bootNode(state: LabState, node: string, disk: string, programs: string): Promise<void> {
  const flags = ["--fork", "--kill-child", "--pid", "--mount", "--net", "--uts", "--ipc", "--mount-proc", "--"];
  const argv = ["unshare", ...flags, "sh", join(BOOT, "node.sh"), node, disk, programs];
  const starter = await startDaemon(state, { name: node, host: ROOT_HOST, argv, programs });
  await booted(state, node, starter, () => findChild(starter.pid));
}
