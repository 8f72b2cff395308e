import type { Lab } from "../lab/lab.ts";
import type { Progress } from "../lab/progress.ts";
import type { SpecResult } from "./ginkgo-report.ts";
import { logOf, runSpec } from "./run-spec.ts";
import { runsAlone, shortName } from "./specs.ts";

export interface Suite {
  readonly lab: Lab;
  /** The path of e2e.test. */
  readonly program: string;
  readonly title: string;
  readonly specs: readonly string[];
  /** How many specs run side by side; those that upstream marks as serial always run alone. */
  readonly jobs: number;
  /** Where output and reports go. */
  readonly folder: string;
  /** Stops the suite: specs that run are killed and not reported. */
  readonly signal: AbortSignal;
  /** Called for each spec as it ends. */
  readonly onResult: (spec: string, result: SpecResult) => void;
}

/** Runs specs in a lab and shows each as it ends. */
export async function runSuite(suite: Suite, progress: Progress): Promise<void> {
  const { specs, jobs, signal } = suite;
  const running = new Set<string>();
  let done = 0;
  await progress.step(`${suite.title}: ${specs.length} specs`, async (note) => {
    const tell = () => note(`${done} done; ${[...running].map((spec) => shortName(spec).slice(0, 60)).join("; ")}`);
    const runOne = async (spec: string) => {
      running.add(spec);
      tell();
      const result = await runSpec({ ...suite, spec });
      running.delete(spec);
      if (signal.aborted) return;
      done += 1;
      tell();
      suite.onResult(spec, result);
      progress.say(describe(suite, spec, result));
    };
    const runAll = async (queue: string[], workers: number) => {
      const work = async () => {
        for (let spec = queue.shift(); spec !== undefined && !signal.aborted; spec = queue.shift()) await runOne(spec);
      };
      await Promise.all(Array.from({ length: workers }, work));
    };
    await runAll(
      specs.filter((spec) => !runsAlone(spec)),
      jobs,
    );
    await runAll(specs.filter(runsAlone), 1);
  });
}

const longestMessage = 600;

function describe({ folder }: Suite, spec: string, { state, seconds, message }: SpecResult): string {
  const line = `  ${state.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s  ${shortName(spec)}`;
  if (state === "passed") return line;
  const said = (message ?? "").trim().slice(0, longestMessage).replaceAll("\n", "\n      ");
  return `${line}\n      ${said}${state === "failed" ? `\n      ${logOf(folder, spec)}` : ""}`;
}
