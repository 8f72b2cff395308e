import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Progress } from "../lab/progress.ts";
import type { Accelerator } from "./accelerator.ts";
import { makeInitialFiles } from "./initial-files.ts";
import { fetchKernel } from "./kernel-package.ts";
import type { LinuxVersion } from "./releases.ts";
import { type FileResult, readOutcomes, resultsOf } from "./results.ts";
import { runVirtualMachine } from "./virtual-machine.ts";

export const repository = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

export interface KernelRun {
  readonly version: LinuxVersion;
  readonly accelerator: Accelerator;
  /** Test files, from the root of the repository. */
  readonly files: readonly string[];
  /** A regular expression for the names of the tests that run; without it, all do. */
  readonly tests: string | undefined;
  /** After which the virtual machine is killed. */
  readonly limitMs: number;
  /** For what is written: the log of the virtual machine, and what each test came to. */
  readonly folder: string;
}

export interface KernelResult {
  /** As uname -r prints it. */
  readonly release: string;
  readonly results: readonly FileResult[];
  /** Whether the virtual machine was killed. */
  readonly killed: boolean;
}

/** For `patiently` of the tests: how many times longer they wait for something than on a usual machine. */
const patience = { kvm: 1, tcg: 4 } as const satisfies Record<Accelerator["kind"], number>;

/** Runs test files on one kernel. */
export async function runKernel(run: KernelRun, progress: Progress, stop: AbortSignal): Promise<KernelResult> {
  const { version, accelerator, files, tests = "", limitMs, folder } = run;
  const kernel = await fetchKernel(version, progress);
  const written = join(folder, "results");
  const events = join(written, "events");
  mkdirSync(written, { recursive: true });
  // What Node has compiled there stays: that is a good part of the time where QEMU translates instructions.
  rmSync(events, { force: true });
  const initialFiles = await makeInitialFiles(kernel, folder, {
    REPOSITORY: repository,
    NODE: process.execPath,
    KERNEL_ROOT: kernel.root,
    // So that one file that hangs leaves time for others.
    FILE_LIMIT_MS: String(files.length === 1 ? limitMs : limitMs / 2),
    FILES: files.join(" "),
    TESTS: tests,
    PATIENCE: String(patience[accelerator.kind]),
  });
  const results = () => {
    return resultsOf(files, existsSync(events) ? readOutcomes(readFileSync(events, "utf8")) : []);
  };
  const outcome = await progress.step(`Run the tests on Linux ${kernel.release}`, async (note) => {
    const timer = setInterval(() => note(describeProgress(results())), 2000);
    try {
      const machine = { accelerator, image: kernel.image, initialFiles, results: written, log: join(folder, "log") };
      return await runVirtualMachine(machine, limitMs, stop);
    } finally {
      clearInterval(timer);
    }
  });
  return { release: kernel.release, results: results(), killed: outcome === "killed" };
}

function describeProgress(results: readonly FileResult[]): string {
  const count = (of: (result: FileResult) => number) => results.reduce((sum, result) => sum + of(result), 0);
  const ended = count(({ ended }) => Number(ended));
  return `${ended} of ${results.length} files, ${count(({ passed }) => passed)} passed, ${count(({ failed }) => failed.length)} failed`;
}
