import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Lab } from "../lab/lab.ts";
import type { LoadOptions, LoadReport } from "./probe/load.ts";
import type { Target } from "./probe/probe.ts";

const program = fileURLToPath(new URL("probe/load.ts", import.meta.url));

/** Traffic that runs beside a test until it is stopped. */
export interface RunningLoad {
  stop(): Promise<LoadReport>;
}

/** Starts asking from a host of the lab. The load ends when it is stopped, at `count` questions, or with the lab. */
export function startLoad(lab: Lab, host: string, options: LoadOptions): RunningLoad {
  const child = lab.spawnInNetwork(host, [process.execPath, program, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError("the load has no pipes");
  const ended = once(child, "close");
  const output = text(stdout);
  return {
    async stop() {
      stdin.end();
      await ended;
      return JSON.parse(await output) as LoadReport;
    },
  };
}

/** Asks `count` times from a host, one after another, and gives the report. */
export async function askFrom(
  lab: Lab,
  host: string,
  target: Target,
  count: number,
  timeoutMs = 5_000,
): Promise<LoadReport> {
  return runOn(lab, host, program, { target, intervalMs: 20, timeoutMs, count } satisfies LoadOptions);
}

/** Runs a program on a host until it ends by itself; its options are JSON in the first argument. Gives its report, which is JSON as well. */
export async function runOn<Report>(lab: Lab, host: string, script: string, options: object): Promise<Report> {
  const child = lab.spawnInNetwork(host, [process.execPath, script, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (child.stdout === null) throw new TypeError(`${script} has no output`);
  const output = text(child.stdout);
  await once(child, "close");
  return JSON.parse(await output) as Report;
}
