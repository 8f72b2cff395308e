import type { TestOutcome } from "./outcome.ts";

/** What one test file came to on one kernel. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: readonly FailedTest[];
  /** How many tests and suites a time limit ended, or kept from beginning. */
  readonly cutOff: number;
  /** Why tests were skipped, and how many. */
  readonly skipped: ReadonlyMap<string, number>;
  /** Whether it ran to its end. A file that the time limit of the virtual machine cut off, or that never began, did not. */
  readonly ended: boolean;
}

export interface FailedTest {
  readonly name: string;
  readonly reason: string;
}

/** Reads what a virtual machine has written so far. The last line may be incomplete. */
export function readOutcomes(text: string): readonly TestOutcome[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.filter((line) => line !== "").map((line): TestOutcome => JSON.parse(line));
}

/** The result of each file, in their order, also of files of which nothing was written. */
export function resultsOf(files: readonly string[], outcomes: readonly TestOutcome[]): readonly FileResult[] {
  return files.map((file) => {
    const own = outcomes.filter((outcome) => outcome.file === file);
    const skipped = new Map<string, number>();
    for (const outcome of own)
      if (outcome.kind === "skipped") skipped.set(outcome.reason, (skipped.get(outcome.reason) ?? 0) + 1);
    const failed = own.flatMap((outcome) => (outcome.kind === "failed" ? [outcome] : []));
    return {
      file,
      passed: own.filter(({ kind }) => kind === "passed").length,
      failed,
      cutOff: own.filter(({ kind }) => kind === "cut-off").length,
      skipped,
      ended: own.some(({ kind }) => kind === "end"),
    };
  });
}

/** Whether everything ran and nothing failed. A file in which all tests were skipped is good: it says why. */
export function isGood({ passed, failed, cutOff, skipped, ended }: FileResult): boolean {
  return ended && failed.length === 0 && cutOff === 0 && passed + skipped.size > 0;
}

/** For people: a line for each file, and below it what failed and what was skipped. */
export function printResults(results: readonly FileResult[]): string {
  return results.map(printFile).join("");
}

function printFile(result: FileResult): string {
  const { file, passed, failed, cutOff, skipped, ended } = result;
  const count = [...skipped.values()].reduce((sum, each) => sum + each, 0);
  const parts = [`${passed} passed`];
  if (failed.length > 0) parts.push(`${failed.length} failed`);
  if (cutOff > 0) parts.push(`${cutOff} cut off by a time limit`);
  if (count > 0) parts.push(`${count} skipped`);
  if (!ended) parts.push("not run to its end");
  const lines = [
    `  ${isGood(result) ? "✓" : "✗"} ${file}: ${parts.join(", ")}`,
    ...failed.map(({ name, reason }) => `      ✗ ${name}\n          ${firstLine(reason)}`),
    ...[...skipped].map(([reason, times]) => `      skipped ${times}: ${reason}`),
  ];
  return `${lines.join("\n")}\n`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
