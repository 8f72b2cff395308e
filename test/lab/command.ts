import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { text } from "node:stream/consumers";
import { LabError } from "./error.ts";

export interface CommandResult {
  /** The exit code; 128 plus the signal's number for a process that a signal ended, as in a shell. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** What the command reads from its standard input; nothing when left out. */
  input?: string;
  /** A file for its standard input, instead of `input`. */
  inputFile?: string;
  /** The whole environment; that of this process when left out. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The process is killed after this time, and the call fails; 60,000 when left out. */
  timeoutMs?: number;
}

/** The exit code as a shell would give it, from what Node tells about an ended process. */
export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Runs a program to its end. A non-zero exit code is a result, not a failure; a program that cannot be started or
 * does not end in time throws. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new LabError("bad-option", "there is no command to run");
  const timeoutMs = options.timeoutMs ?? 60_000;
  const file = options.inputFile === undefined ? undefined : openSync(options.inputFile, "r");
  let timedOut = false;
  try {
    const child = spawn(program, args, {
      stdio: [file ?? "pipe", "pipe", "pipe"],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const { stdout: output, stderr: errors } = child;
    if (output === null || errors === null) throw new Error("the child has no pipes");
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    const ended = new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(exitCode(code, signal)));
    });
    // A program may end without reading its input; how it ended is told by its exit code, not by the broken pipe.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
    try {
      const [code, stdout, stderr] = await Promise.all([ended, text(output), text(errors)]);
      if (timedOut) {
        throw new LabError("timeout", `${argv.join(" ")}: not done after ${timeoutMs} ms\n${stderr.slice(-2000)}`);
      }
      return { code, stdout, stderr };
    } finally {
      clearTimeout(timer);
    }
  } catch (cause) {
    if (cause instanceof LabError) throw cause;
    throw new LabError("command-failed", `${program} cannot be run: ${String(cause)}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Runs a program to its end and gives its standard output; any exit code but zero throws with what it said. */
export async function runChecked(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(-4000);
  throw new LabError("command-failed", `${argv.join(" ")}: exit code ${result.code}\n${said}`);
}
