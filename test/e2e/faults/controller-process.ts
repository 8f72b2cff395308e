import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../lab/wait.ts";
import { FaultProxy, type ServerIdentity, type Step } from "./proxy.ts";

const program = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

/** How a controller connects. All paths are of files that may change. */
export interface ControllerProcessOptions {
  /** Whether it takes part in the leader election. */
  readonly elect?: boolean;
  /** What the proxy shows, and the path of the certificate that the controller trusts. */
  readonly tls?: { readonly identity: ServerIdentity; readonly caFile: string };
  readonly tokenFile?: string;
  /** Called before the controller starts. */
  readonly prepare?: (proxy: FaultProxy) => void;
}

/** A controller as a program of its own, with a proxy of its own between it and the API server. */
export class ControllerProcess {
  readonly proxy: FaultProxy;
  readonly #folder = mkdtempSync(join(tmpdir(), "bellhop-faults-"));
  #child: ChildProcess | undefined;
  #log = "";

  readonly #options: ControllerProcessOptions;

  constructor(apiSocket: string, options: ControllerProcessOptions = {}) {
    this.proxy = new FaultProxy(apiSocket, options.tls?.identity);
    this.#options = options;
  }

  /** Starts it and waits until it leads, or, with an election, until it has read everything. */
  async start(): Promise<void> {
    const { elect = false, prepare } = this.#options;
    prepare?.(this.proxy);
    const server = await this.proxy.listen();
    const kubeconfig = join(this.#folder, "kubeconfig");
    writeFileSync(kubeconfig, kubeconfigFor(server, this.#options));
    const flags = ["--kubeconfig", kubeconfig, "--leader-elect", String(elect), "--http-host", "127.0.0.1"];
    this.#child = spawn(process.execPath, [program, "controller", ...flags, "--http-port", "0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#log += chunk.toString();
      });
    }
    // The log line with the port is written before the first list is read.
    await waitFor({ what: "the controller to start", timeoutMs: 60_000, intervalMs: 50 }, async () => {
      if (this.#child?.exitCode !== null) throw new Error(`the controller has ended:\n${this.#log}`);
      const port = /"port":(\d+)/.exec(this.#log)?.[1];
      if (port === undefined) return undefined;
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok ? true : undefined;
    });
  }

  /** The most memory that it has had resident, in MiB. Linux only. */
  get peakMemoryMiB(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, "utf8");
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  get log(): string {
    return this.#log;
  }

  /** Kills it as the kernel does when memory is short. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /**
   * Kills it as the kernel does when memory is short, with no farewell and no lease given back: at its first write of that step, before the API server gets it or before its answer is heard. Resolves when it has.
   */
  killAt(step: Step, moment: "before" | "after"): Promise<void> {
    return new Promise((resolve) => {
      const kill = (): void => {
        this.#child?.kill("SIGKILL");
        resolve();
      };
      if (moment === "after") {
        this.proxy.afterwards = (passage) => {
          if (passage.step === step) kill();
        };
        return;
      }
      this.proxy.script = (passage) => {
        if (passage.step !== step) return undefined;
        kill();
        return { kind: "cut", done: false };
      };
    });
  }

  /** In good order; also after a kill. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
    await this.proxy.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The proxy speaks for the administrator, so no credentials are needed; client-node takes plain HTTP only with TLS checks off. */
function kubeconfigFor(server: string, { tls, tokenFile }: ControllerProcessOptions): string {
  const trust = tls === undefined ? { "insecure-skip-tls-verify": true } : { "certificate-authority": tls.caFile };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "lab", cluster: { server, ...trust } }],
    users: [{ name: "nobody", user: tokenFile === undefined ? {} : { tokenFile } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "nobody" } }],
    "current-context": "lab",
  });
}
