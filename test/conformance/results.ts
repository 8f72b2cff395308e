import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SpecResult } from "./ginkgo-report.ts";

const Variant = z.strictObject({
  proxy: z.enum(["nftables", "iptables"]),
  path: z.enum(["nodeport", "pods"]),
  families: z.enum(["ipv4", "ipv6", "dual"]),
});

/** One way to run the specs. */
export type Variant = z.infer<typeof Variant>;

const Results = z.strictObject({
  /** The version whose specs and whose cluster it was. */
  kubernetes: z.string(),
  bellhop: z.string(),
  /** The full names of all specs that `--specs all` chooses, sorted. */
  specs: z.array(z.string()),
  runs: z.array(
    z.strictObject({
      variant: Variant,
      specs: z.record(
        z.string(),
        z.strictObject({ state: z.enum(["passed", "failed", "skipped"]), seconds: z.int().min(0) }),
      ),
    }),
  ),
});

export type Results = z.infer<typeof Results>;
export type Run = Results["runs"][number];

const file = join(import.meta.dirname, "results.json");

/** What earlier runs have left, in test/conformance/results.json. */
export function readResults(): Results | undefined {
  return existsSync(file) ? Results.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

export function writeResults(results: Results): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(results, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** What a new run starts from: results of other versions are not kept beside its own. */
export function continueResults(before: Results | undefined, versions: Omit<Results, "runs">): Results {
  const same = before?.kubernetes === versions.kubernetes && before.bellhop === versions.bellhop;
  return { ...versions, runs: same ? before.runs : [] };
}

export function sameVariant(left: Variant, right: Variant): boolean {
  return left.proxy === right.proxy && left.path === right.path && left.families === right.families;
}

/** How long a spec took at most, in seconds; undefined for one that was never run. */
export function longestSeconds(results: Results, spec: string): number | undefined {
  const seconds = results.runs.flatMap((run) => run.specs[spec]?.seconds ?? []);
  return seconds.length === 0 ? undefined : Math.max(...seconds);
}

/** The results with those of one spec put in, in the place of what an earlier run said of it. */
export function recordSpec(results: Results, variant: Variant, spec: string, result: SpecResult): Results {
  const before = results.runs.find((run) => sameVariant(run.variant, variant));
  const entry = { state: result.state, seconds: Math.round(result.seconds) };
  const specs = Object.fromEntries(
    Object.entries({ ...before?.specs, [spec]: entry }).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
  const runs = results.runs.filter((run) => run !== before);
  const order = ({ variant: { families, path, proxy } }: Run) =>
    `${["ipv4", "ipv6", "dual"].indexOf(families)} ${["nodeport", "pods"].indexOf(path)} ${["nftables", "iptables"].indexOf(proxy)}`;
  return { ...results, runs: [...runs, { variant, specs }].sort((a, b) => (order(a) < order(b) ? -1 : 1)) };
}
