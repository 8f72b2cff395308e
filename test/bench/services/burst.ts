import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait.ts";
import { readClusterCpu } from "../cluster-cpu.ts";
import { type ControllerFigures, readControllers } from "../controller-metrics.ts";
import { AddressWatch } from "./address-watch.ts";
import { type RequestTotals, readServiceWrites, serviceWrites } from "./api-server-metrics.ts";

/** What the cluster has used so far. */
interface Usage {
  readonly leader: ControllerFigures;
  /** 0 where no other replica answers. */
  readonly standbyCpuSeconds: number;
  readonly cpuSeconds: ReadonlyMap<string, number>;
  readonly writes: readonly RequestTotals[];
}

/** Programs of the cluster that use less for a Service are left out. */
const leastCpuMs = 0.1;

/** Waits until a controller leads. */
export function waitForLeader(lab: Lab): Promise<ControllerFigures> {
  return waitFor({ what: "a leading controller", timeoutMs: 60_000, intervalMs: 100 }, async () =>
    (await readControllers(lab)).find(({ leading }) => leading),
  );
}

/** Waits until the leader has written nothing for two seconds: events follow the addresses. */
export async function waitUntilQuiet(lab: Lab): Promise<ControllerFigures> {
  let before = -1;
  return waitFor({ what: "the last write", timeoutMs: 120_000, intervalMs: 2_000 }, async () => {
    const leader = await waitForLeader(lab);
    const same = leader.writes === before;
    before = leader.writes;
    return same ? leader : undefined;
  });
}

/** CPU first: reading the metrics of the API server costs it some. */
async function readUsage(lab: Lab): Promise<Usage> {
  const cpuSeconds = readClusterCpu(lab.options.name);
  const controllers = await readControllers(lab);
  const leader = controllers.find(({ leading }) => leading);
  if (leader === undefined) throw new Error("no controller leads");
  const standbyCpuSeconds = controllers.find(({ leading }) => !leading)?.cpuSeconds ?? 0;
  return { leader, standbyCpuSeconds, cpuSeconds, writes: await readServiceWrites(lab) };
}

/**
 * Runs `begin`, which lets `count` Services without addresses get some, and returns figures by title: how fast they get them, and what a
 * Service costs the controllers, the API server and the other programs until the last one has its address. Events are counted, too.
 */
export async function measureBurst(
  lab: Lab,
  namespace: string,
  count: number,
  begin: () => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  await waitUntilQuiet(lab);
  const before = await readUsage(lab);
  const watch = await AddressWatch.open(lab, namespace);
  try {
    const beganMs = performance.now();
    await begin();
    const times = await watch.waitForAddresses(count);
    const after = await readUsage(lab);
    const [firstMs = Number.NaN, lastMs = Number.NaN] = [times[0], times.at(-1)];
    return new Map([
      ["Services per second, from the begin to the last address", (count * 1000) / (lastMs - beganMs)],
      ["Services per second, from the first to the last address", ((count - 1) * 1000) / (lastMs - firstMs)],
      ["time to an address, median, s", ((times[Math.floor(times.length / 2)] ?? Number.NaN) - beganMs) / 1000],
      ...costs(before, after, count),
      ["requests per Service, events included", (await requestsAtRest(lab, before.leader)) / count],
    ]);
  } finally {
    watch.close();
  }
}

async function requestsAtRest(lab: Lab, before: ControllerFigures): Promise<number> {
  const rest = await waitUntilQuiet(lab);
  return rest.writes + rest.reads - before.writes - before.reads;
}

function costs(before: Usage, after: Usage, count: number): [string, number][] {
  const perService = (from: number, to: number): number => ((to - from) * 1000) / count;
  const requests = after.leader.writes + after.leader.reads - before.leader.writes - before.leader.reads;
  const figures: [string, number][] = [
    ["requests per Service, until the last address", requests / count],
    ["leader: CPU per Service, ms", perService(before.leader.cpuSeconds, after.leader.cpuSeconds)],
    ["standby: CPU per Service, ms", perService(before.standbyCpuSeconds, after.standbyCpuSeconds)],
  ];
  let sum = (figures[1]?.[1] ?? 0) + (figures[2]?.[1] ?? 0);
  for (const [program, seconds] of after.cpuSeconds) {
    const spentMs = perService(before.cpuSeconds.get(program) ?? 0, seconds);
    sum += spentMs;
    if (spentMs >= leastCpuMs) figures.push([`${program}: CPU per Service, ms`, spentMs]);
  }
  figures.push(["all programs: CPU per Service, ms", sum]);
  return [...figures, ...writeTimes(before.writes, after.writes)];
}

/** How long the API server took for the writes of a Service, by its own metrics. */
export function writeTimes(before: readonly RequestTotals[], after: readonly RequestTotals[]): [string, number][] {
  const figures = serviceWrites.map(({ title }, index): [string, number] => {
    const [first, last] = [before[index], after[index]];
    if (first === undefined || last === undefined || last.count === first.count) return [title, Number.NaN];
    return [title, ((last.seconds - first.seconds) * 1000) / (last.count - first.count)];
  });
  const sum = figures.reduce((total, [, value]) => total + value, 0);
  return [
    ...figures.map(([title, value]): [string, number] => [`API server: ${title}, ms`, value]),
    ["API server: both writes, ms", sum],
  ];
}

/** Lets what was done settle, such as what the API server makes of new kinds. */
export function rest(): Promise<void> {
  return sleep(5_000);
}
