import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { MAX_NODES } from "./addresses.ts";
import { LabError } from "./error.ts";
import { isAlive, type ProcessRecord } from "./processes.ts";

const Options = z.strictObject({
  // The name is part of a unix socket's path, which may have 107 bytes, and of a cgroup's.
  name: z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, "a lab's name is 1 to 20 of a-z, 0-9 and -, a letter first"),
  nodes: z.int().min(1).max(MAX_NODES),
  proxy: z.enum(["iptables", "nftables"]),
  families: z.enum(["dual", "ipv4", "ipv6"]),
  /** Whether names of Services are resolved, by CoreDNS. */
  dns: z.boolean().default(false),
  /** Whether pods may have a hostPort, by the CNI plugin portmap. */
  hostPorts: z.boolean().default(false),
  /** Whether the switch of the LAN passes multicast only to ports that reported the group by MLD or IGMP. */
  mldSnooping: z.boolean().default(false),
});
const Labfile = z.strictObject({ options: Options, programs: z.string(), complete: z.boolean() });
const Process = z.strictObject({ pid: z.int(), startTime: z.int() });

export type LabOptions = z.infer<typeof Options>;

/** Where labs live on this machine: below BELLHOP_LABS, or /var/lib/bellhop-labs. */
export function labsFolder(): string {
  return process.env.BELLHOP_LABS || "/var/lib/bellhop-labs";
}

/** Where the lab's programs and images are kept between labs: BELLHOP_CACHE, or the user's cache folder. */
export function cacheFolder(): string {
  return process.env.BELLHOP_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bellhop");
}

/** Three nodes of both families with kube-proxy in nftables mode, unless said otherwise; throws for options that no lab can have. */
export function completeOptions(options: Partial<LabOptions>): LabOptions {
  const parsed = Options.safeParse({
    name: options.name ?? "lab",
    nodes: options.nodes ?? 3,
    proxy: options.proxy ?? "nftables",
    families: options.families ?? "dual",
    dns: options.dns ?? false,
    hostPorts: options.hostPorts ?? false,
    mldSnooping: options.mldSnooping ?? false,
  });
  if (parsed.success) return parsed.data;
  throw new LabError("bad-option", z.prettifyError(parsed.error));
}

/** What a lab keeps on disk: who belongs to it, its logs, the disks of its nodes. Does not start or stop anything. */
export class LabState {
  readonly name: string;
  readonly folder: string;

  constructor(name: string) {
    this.name = completeOptions({ name }).name;
    this.folder = join(labsFolder(), this.name);
  }

  /** A path inside the lab's folder, whose parent folder is made if need be. */
  path(...parts: string[]): string {
    const path = join(this.folder, ...parts);
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    return path;
  }

  /** Held by whoever brings this lab up or down. A lab's name counts for the whole machine, wherever its folder is. */
  get lockPath(): string {
    return `/run/lock/bellhop-lab-${this.name}.lock`;
  }

  logFile(process: string): string {
    return this.path("logs", `${process}.log`);
  }

  /** The names that logFile takes. */
  logNames(): string[] {
    return this.list("logs", ".log");
  }

  /** The options and the folder of programs that the lab was started with, and whether `up` came to its end; undefined
   * when there is no lab. */
  read(): z.infer<typeof Labfile> | undefined {
    const path = join(this.folder, "lab.json");
    if (!existsSync(path)) return undefined;
    // One that another version of this program wrote is as good as none: its lab cannot be used, only removed.
    return Labfile.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  }

  write(labfile: z.infer<typeof Labfile>): void {
    this.replace(this.path("lab.json"), labfile);
  }

  /** The record of a host ("n1", "client", …) or of a program ("etcd", "n1.kubelet", …); it may be dead by now. */
  readProcess(name: string): ProcessRecord | undefined {
    const path = join(this.folder, "processes", `${name}.json`);
    return existsSync(path) ? Process.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
  }

  /** Whether the host or program runs, by its record. */
  isRunning(name: string): boolean {
    const record = this.readProcess(name);
    return record !== undefined && isAlive(record);
  }

  writeProcess(name: string, record: ProcessRecord): void {
    this.replace(this.path("processes", `${name}.json`), record);
  }

  processNames(): string[] {
    return this.list("processes", ".json");
  }

  private list(folder: string, suffix: string): string[] {
    const path = join(this.folder, folder);
    if (!existsSync(path)) return [];
    const files = readdirSync(path).filter((file) => file.endsWith(suffix));
    return files.map((file) => basename(file, suffix)).sort();
  }

  // Renamed into place, so that nobody reads half of it.
  private replace(path: string, value: unknown): void {
    writeFileSync(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
    renameSync(`${path}.new`, path);
  }
}
