import { globSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { LabError } from "../lab/error.ts";
import { showProgress } from "../lab/progress.ts";
import { parseRegularExpression } from "../lab/regular-expression.ts";
import { cacheFolder } from "../lab/state.ts";
import { wholeNumberParser } from "../lab/whole-number.ts";
import { isLinuxVersion, type LinuxVersion, linuxVersions } from "./releases.ts";
import { isGood, printResults } from "./results.ts";
import { repository, runKernel } from "./run-kernel.ts";
import { findAccelerator, installPrograms } from "./set-up.ts";

const progress = showProgress(process.stderr);
const stop = new AbortController();

function addVersion(text: string, before: readonly LinuxVersion[] = []): readonly LinuxVersion[] {
  if (!isLinuxVersion(text)) throw new InvalidArgumentError(`it is one of ${linuxVersions.join(", ")}`);
  return [...before, text];
}

const program = new Command("kernels")
  .description("runs the tests in network namespaces on other kernels, each in a virtual machine without a network")
  .argument("[versions...]", `of Linux: ${linuxVersions.join(", ")}; all of them when left out`, addVersion)
  .option("--files <words...>", "only test files with one of these words in their name")
  .option(
    "--tests <pattern>",
    "only tests whose name, with those of its suites before it, matches this regular expression",
    parseRegularExpression,
  )
  .option(
    "--minutes <number>",
    "after which a virtual machine is killed",
    wholeNumberParser({ from: 1, to: 9_999 }),
    60,
  )
  .parse();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    progress.say(`${signal}: the virtual machine is ended`);
    stop.abort();
  });
}

/** Runs all kernels, and returns the exit code: 1 where a test failed or did not run. */
async function main(): Promise<number> {
  const {
    files: words = [""],
    tests,
    minutes: limit,
  } = program.opts<{ files?: readonly string[]; tests?: RegExp; minutes: number }>();
  const all = globSync("test/network/*.test.ts", { cwd: repository }).sort();
  const files = all.filter((file) => words.some((word) => file.includes(word)));
  if (files.length === 0) throw new LabError("bad-option", `no test file has ${words.join(" or ")} in its name`);
  await installPrograms(progress);
  const accelerator = findAccelerator();
  if (accelerator.kind === "tcg")
    progress.say(`QEMU translates instructions, which is ten times slower or more: ${accelerator.why}`);
  let good = true;
  const [versions = []] = program.processedArgs as [(readonly LinuxVersion[])?];
  for (const version of versions.length === 0 ? linuxVersions : versions) {
    const folder = join(cacheFolder(), "kernels-logs", version);
    const run = { version, accelerator, files, tests: tests?.source, limitMs: limit * 60_000, folder };
    const { release, results, killed } = await runKernel(run, progress, stop.signal);
    good &&= results.every(isGood);
    process.stdout.write(`Linux ${release}\n${printResults(results)}`);
    if (killed)
      process.stdout.write(`  the virtual machine was killed after its limit of ${limit} minutes, or by a signal\n`);
    if (!results.every(isGood)) process.stdout.write(`  more in ${folder}\n`);
    if (stop.signal.aborted) return 1;
  }
  return good ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  process.stderr.write(`kernels: ${error.message}\n`);
  process.exitCode = 1;
}
