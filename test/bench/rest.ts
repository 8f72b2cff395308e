import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab/lab.ts";
import { readProcesses } from "./processes.ts";

/** Of each process of a component. */
export interface RestFigures {
  readonly residentMiB: readonly number[];
  readonly anonymousMiB: readonly number[];
  /** Of one core. */
  readonly cpuPercent: readonly number[];
}

/** What the programs use while nothing changes for so long. */
export async function measureRest(
  lab: Lab,
  seconds: number,
): Promise<Readonly<Record<"controller" | "speaker", RestFigures>>> {
  const before = await readProcesses(lab);
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const after = await readProcesses(lab);
  const elapsed = (performance.now() - startMs) / 1000;
  const figuresOf = (component: string): RestFigures => {
    const now = after.filter((figures) => figures.component === component);
    const cpuPercent = now.flatMap((figures) => {
      const then = before.find((other) => other.component === component && other.node === figures.node);
      return then === undefined ? [] : [((figures.cpuSeconds - then.cpuSeconds) / elapsed) * 100];
    });
    return {
      residentMiB: now.map((figures) => figures.residentMiB),
      anonymousMiB: now.map((figures) => figures.anonymousMiB),
      cpuPercent,
    };
  };
  return { controller: figuresOf("controller"), speaker: figuresOf("speaker") };
}
