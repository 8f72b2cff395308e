import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { showProgress } from "../lab/progress.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { MeasuredSpeaker, type SpeakerFigures } from "./speaker/measured-speaker.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What changes of endpoints cost a speaker, and what it costs at rest: `npm run bench -- speaker [--only PART,...] [--services N] [--rest SECONDS]`.
 * Needs root and nftables, and no cluster: the speaker runs as a program in a network namespace of its own, with the real kernel and an API server
 * in memory, which is another process. The parts:
 *
 * - `latency`: from the change of an EndpointSlice at the API server until the kernel has a new generation of rules, one change after the other;
 * - `rate`: 1,000 changed endpoints per second for 10 s: CPU, how long a change waited for the rules, and whether one is lost;
 * - `rest`: CPU of a speaker that is alone, with 0, 10 and 1,000 addresses. `npm run bench -- idle` is about one that hears others.
 */
const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "rest,latency,rate" },
    services: { type: "string", default: "1000" },
    rest: { type: "string", default: "20" },
  },
});
const parts = new Set(options.only.split(","));
/** As many as there are addresses for their endpoints (speaker/api-process.ts). */
const services = wholeNumber("--services", options.services, { from: 1, to: 6_500 });
const restSeconds = wholeNumber("--rest", options.rest, { from: 1, to: 3_600 });
const [perSecond, rateSeconds, rateTrials] = [1_000, 10, 3] as const;
const progress = showProgress(process.stderr);

function print(title: string, values: readonly number[], digits = 2): void {
  process.stdout.write(
    `${title}: ${formatSpread(spreadOf(values), digits)}; load average ${loadavg()[0]?.toFixed(1)}\n`,
  );
}

function difference(after: SpeakerFigures, before: SpeakerFigures, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}

const cpu = "process_cpu_seconds_total";
const waited = "bellhop_speaker_event_to_rules_seconds";

/** The smallest bound of the histogram that so many of the observations are below, in milliseconds. */
function quantileMs(after: SpeakerFigures, before: SpeakerFigures, share: number): number {
  const count = difference(after, before, `${waited}_count`);
  const bounds = [...after.keys()].flatMap((name) => {
    const [, bound] = name.startsWith(`${waited}_bucket`) ? (/le="([^"]+)"/.exec(name) ?? []) : [];
    return bound === undefined ? [] : [{ name, bound: Number(bound.replace("+Inf", "Infinity")) }];
  });
  const found = bounds.find(({ name }) => difference(after, before, name) >= count * share);
  return (found?.bound ?? Number.POSITIVE_INFINITY) * 1000;
}

async function populated(speaker: MeasuredSpeaker, count: number): Promise<void> {
  await speaker.ask({ kind: "populate", services: count });
  const differ = await speaker.settle();
  if (differ > 0) throw new Error(`${differ} endpoints in the kernel are not those of the Services`);
}

async function measureRest(speaker: MeasuredSpeaker): Promise<void> {
  for (const addresses of [0, 10, 1_000]) {
    await populated(speaker, addresses);
    // Addresses are probed, announced and reported first.
    await progress.step("wait for rest", () => sleep(10_000));
    const shares: number[] = [];
    await progress.step(`rest with ${addresses} addresses`, async () => {
      for (let trial = 0; trial < 3; trial++) {
        const before = await speaker.figures();
        await sleep((restSeconds * 1000) / 3);
        const after = await speaker.figures();
        // Two readings of the metrics are part of it.
        shares.push((difference(after, before, cpu) / (restSeconds / 3)) * 100);
      }
    });
    print(`speaker at rest with ${addresses} addresses, CPU, % of a core`, shares);
    const memory = ((await speaker.figures()).get("process_resident_memory_bytes") ?? 0) / 1024 / 1024;
    print(`speaker at rest with ${addresses} addresses, resident memory, MiB`, [memory], 0);
  }
}

async function measureLatency(speaker: MeasuredSpeaker): Promise<void> {
  const measure = () => speaker.ask<readonly number[]>({ kind: "changes", trials: 200 });
  print(
    `one endpoint of ${services} Services changes: from the API server to the kernel, ms`,
    await progress.step("changes one after the other", measure),
  );
}

async function measureRate(speaker: MeasuredSpeaker): Promise<void> {
  const shares: number[] = [];
  const means: number[] = [];
  const medians: number[] = [];
  const late: number[] = [];
  const behind: number[] = [];
  let lost = 0;
  for (let trial = 0; trial < rateTrials; trial++) {
    await progress.step(`${perSecond} changes per second for ${rateSeconds} s`, async () => {
      const before = await speaker.figures();
      const startMs = performance.now();
      await speaker.ask({ kind: "rate", perSecond, seconds: rateSeconds });
      const seconds = (performance.now() - startMs) / 1000;
      if (seconds > rateSeconds * 1.1) progress.say(`the API server needed ${seconds.toFixed(1)} s for the changes`);
      const settlingMs = performance.now();
      lost += await speaker.settle();
      behind.push((performance.now() - settlingMs) / 1000);
      const after = await speaker.figures();
      shares.push((difference(after, before, cpu) / seconds) * 100);
      const count = difference(after, before, `${waited}_count`);
      means.push((difference(after, before, `${waited}_sum`) / count) * 1000);
      medians.push(quantileMs(after, before, 0.5));
      late.push(quantileMs(after, before, 0.99));
    });
  }
  const title = `${perSecond} endpoints per second change`;
  print(`${title}: CPU of the speaker, % of a core`, shares, 0);
  print(`${title}: the oldest change of a write waited so long for the rules, mean, ms`, means, 1);
  print(`${title}: the same, half of the writes, at most, ms`, medians, 0);
  print(`${title}: the same, 99 of 100 writes, at most, ms`, late, 0);
  print(`${title}: from the last change until a list of the kernel's map has them all, s`, behind, 1);
  process.stdout.write(`${title}: endpoints lost: ${lost}\n`);
}

const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
const speaker = await MeasuredSpeaker.start(folder);
try {
  if (parts.has("rest")) await measureRest(speaker);
  await progress.step(`${services} Services`, async () => {
    await populated(speaker, services);
    await sleep(5_000);
  });
  if (parts.has("latency")) await measureLatency(speaker);
  if (parts.has("rate")) await measureRate(speaker);
} finally {
  speaker.end();
  rmSync(folder, { recursive: true });
}
