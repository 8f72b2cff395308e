import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { patiently } from "./patience.ts";

/** Why these tests cannot run here; undefined when they can. With CI=true they must, so then it throws. */
export function skipReason(): string | undefined {
  if (process.getuid?.() === 0) return undefined;
  if (process.env.CI === "true") throw new Error("the network tests need root, and CI=true asks for them");
  return "NOT RUN: network namespaces need root";
}

/** A network namespace without a name, held by a sleeping process: it is gone when that ends, whatever happens. */
export class Namespace {
  readonly name: string;
  readonly #holder: ChildProcess;

  private constructor(name: string, holder: ChildProcess) {
    this.name = name;
    this.#holder = holder;
  }

  /** `/sys` is mounted again in it, because interfaces are read there. */
  static async create(name: string, loopback: "up" | "down" = "up"): Promise<Namespace> {
    const script = `mount -t sysfs sysfs /sys && ip link set lo ${loopback} && echo ready && exec sleep ${patiently(600)}`;
    const holder = spawn("unshare", ["--net", "--mount", "--kill-child", "sh", "-ec", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (holder.stdout === null) throw new Error("no output to wait for");
    await once(holder.stdout, "data");
    holder.unref();
    return new Namespace(name, holder);
  }

  /** The words before a command that make it run in here. */
  get prefix(): readonly string[] {
    return ["nsenter", "-t", String(this.#holder.pid), "-n", "-m"];
  }

  /** Runs a command line of sh in it and returns what it prints. Rejects when it fails. */
  async sh(line: string): Promise<string> {
    return run([...this.prefix, "sh", "-ec", line]);
  }

  /** Like `sh`; a failure gives its output too. */
  async try(line: string): Promise<string> {
    return this.sh(`${line} 2>&1 || true`);
  }

  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const [program = "", ...args] = [...this.prefix, ...command];
    return spawn(program, args, options);
  }

  /** A veth pair: `mine` here, `theirs` in the other namespace; both up. */
  async connect(other: Namespace, mine: string, theirs: string): Promise<void> {
    await this.sh(
      `ip link add ${mine} type veth peer name ${theirs} netns ${other.#holder.pid}; ip link set ${mine} up`,
    );
    await other.sh(`ip link set ${theirs} up`);
  }

  destroy(): void {
    this.#holder.kill("SIGKILL");
  }
}

function run(command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: patiently(60_000) }, (error, output, complaint) => {
      if (error === null) resolve(output);
      else reject(new Error(`${args.at(-1)}: ${complaint}${output}`, { cause: error }));
    });
  });
}
