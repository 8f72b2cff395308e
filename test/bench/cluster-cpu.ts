import { readFileSync } from "node:fs";
import { findProcessesOfLab, programName } from "../lab/processes.ts";

/** Ticks of CPU time of a process are hundredths of a second (USER_HZ in proc(5)). */
const ticksPerSecond = 100;

/** Seconds of CPU that the programs of a lab have used so far, by program; those of Bellhop tell theirs themselves. */
export function readClusterCpu(lab: string): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const { pid, command } of findProcessesOfLab(lab)) {
    const program = programName(pid);
    if (program === undefined || command.includes("/opt/bellhop/bellhop.js ")) continue;
    seconds.set(program, (seconds.get(program) ?? 0) + cpuSeconds(pid));
  }
  return seconds;
}

/** A process that has just ended has used nothing. */
function cpuSeconds(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return 0;
  }
  const [userTicks, systemTicks] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return ((userTicks ?? 0) + (systemTicks ?? 0)) / ticksPerSecond;
}
