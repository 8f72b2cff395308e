import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "./namespace.ts";

/** The path of a script of this folder. */
export function scriptPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** A script of this folder that runs in a namespace and is talked to by lines. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(namespace: Namespace, script: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = namespace.spawn([process.execPath, scriptPath(script), ...args], {
      stdio: ["pipe", "pipe", "inherit"],
      env,
    });
    if (this.#child.stdout === null) throw new Error("no output to read");
    // EPIPE of a program that was killed; `line` says that it has ended.
    this.#child.stdin?.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line it prints. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("the program has ended");
    return value;
  }

  /** Says a line to it and returns its next one. */
  async say(text: string): Promise<string> {
    this.#child.stdin?.write(`${text}\n`);
    return this.line();
  }

  /** Ends its input. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Resolves with the exit code when it has ended. */
  over(): Promise<number | null> {
    return new Promise((resolve) => this.#child.once("exit", resolve));
  }

  /** Sends a signal and resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    const over = this.over();
    this.#child.kill(signal);
    return over;
  }

  /** Sends a signal after which it still runs. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
