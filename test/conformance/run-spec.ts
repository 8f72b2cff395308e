import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exitCode } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import { resultOf, type SpecResult } from "./ginkgo-report.ts";
import { limitMs, shortName } from "./specs.ts";

/** How long e2e.test may take to clean up after a spec that took too long, before it is killed. */
const cleanUpMs = 120_000;

export interface SpecRun {
  readonly lab: Lab;
  /** The path of e2e.test. */
  readonly program: string;
  /** The full name of the spec. */
  readonly spec: string;
  /** Where the output and the report go. */
  readonly folder: string;
  /** Ends the spec; its result is then a failure. */
  readonly signal?: AbortSignal;
}

/** The path of a spec's output below a folder. */
export function logOf(folder: string, spec: string): string {
  return join(
    folder,
    `${shortName(spec)
      .replaceAll(/[^A-Za-z0-9=]+/g, "-")
      .slice(0, 120)}.log`,
  );
}

/**
 * Runs one spec of upstream's as a process of its own on the host behind the router: the specs tell by the client's address
 * whether it came from outside. Never throws for what the spec does, and ends it after its limit.
 */
export async function runSpec({ lab, program, spec, folder, signal }: SpecRun): Promise<SpecResult> {
  mkdirSync(folder, { recursive: true });
  const log = logOf(folder, spec);
  const report = log.replace(/\.log$/, ".json");
  rmSync(report, { force: true });
  const limit = limitMs(spec);
  const output = openSync(log, "w");
  const startedMs = performance.now();
  const child = lab.spawn(
    "remote",
    [
      program,
      ...["--provider=local", `--kubeconfig=${lab.kubeconfig}`, `--num-nodes=${lab.nodes.length}`],
      ...["--disable-log-dump", "--ginkgo.no-color", "--ginkgo.v", `--ginkgo.timeout=${limit / 1000}s`],
      // The text that it is matched with begins with the name of the suite.
      ...[`--ginkgo.focus=${escapePattern(spec)}$`, `--ginkgo.json-report=${report}`],
    ],
    { stdio: ["ignore", output, output] },
  );
  closeSync(output);
  const end = () => child.kill("SIGKILL");
  const timer = setTimeout(end, limit + cleanUpMs);
  signal?.addEventListener("abort", end, { once: true });
  try {
    const [code, ended] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (existsSync(report)) return resultOf(readFileSync(report, "utf8"), spec);
    const seconds = (performance.now() - startedMs) / 1000;
    return { state: "failed", seconds, message: `e2e.test ended with code ${exitCode(code, ended)} and no report` };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/** Go's regular expressions take the same escapes. */
function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
