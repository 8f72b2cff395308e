import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type MeasuredService, measuredService } from "./measured-services.ts";
import { loadVersion } from "./version-dataplane.ts";

/** A line to this process. It answers each with a line of JSON: `Measured`. */
export type Measurement =
  /** So many Services with so many endpoints on other nodes come into an empty table. */
  | { readonly kind: "load"; readonly services: number; readonly endpoints: number }
  /** The whole table is written again. */
  | { readonly kind: "replace" }
  /** So many endpoints of this node move, of as many Services as have them: each is one element deleted and one added. */
  | { readonly kind: "move"; readonly services: number; readonly endpoints: number; readonly trials: number }
  /** Another program deletes our table. */
  | { readonly kind: "flush" };

export interface Measured {
  /** Of each trial, in milliseconds. */
  readonly ms: readonly number[];
  /** Of all transactions in sum: from when they are encoded or printed until the kernel or nft has answered. */
  readonly transactionMs: number;
  /** CPU of all threads of this process, in milliseconds; programs that it runs are not counted. */
  readonly cpuMs: number;
  /** The highest resident memory meanwhile, and that after a collection, beyond that before. MiB. */
  readonly peakMiB: number;
  readonly keptMiB: number;
}

const [checkout = ""] = process.argv.slice(2);
let repaired: () => void = () => undefined;
const dataplane = await loadVersion(checkout, () => {
  dataplane.apply().then(() => repaired(), fail);
});

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** From /proc/self/status, in MiB. VmHWM is the highest since it was last reset by `clear_refs` (proc(5)). */
function memory(field: "VmRSS" | "VmHWM"): number {
  const [, kibibytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kibibytes) / 1024;
}

function put({ view, slices, addresses }: MeasuredService): void {
  dataplane.setService(view, slices, addresses);
}

function services(count: number, endpoints: number, options: Parameters<typeof measuredService>[2]) {
  return Array.from({ length: count }, (_, index) => measuredService(index, endpoints, options));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

let round = 0;

/** Of each trial in milliseconds. */
async function measure(measurement: Measurement): Promise<readonly number[]> {
  switch (measurement.kind) {
    case "load":
      for (const one of loaded) put(one);
      await dataplane.apply();
      return [];
    case "replace":
      dataplane.invalidate();
      await dataplane.apply();
      return [];
    case "move": {
      const times: number[] = [];
      for (let trial = 0; trial < measurement.trials; trial++) {
        round += 1;
        const moved = services(measurement.services, measurement.endpoints, { round, moved: measurement.endpoints });
        // What the one before has left to do is not its cost.
        await sleep(measurement.services > 100 ? 200 : 2);
        times.push(
          await timed(async () => {
            for (const one of moved) put(one);
            await dataplane.apply();
          }),
        );
      }
      return times;
    }
    case "flush": {
      const { promise, resolve } = Promise.withResolvers<void>();
      repaired = resolve;
      const program = spawn("nft", ["delete", "table", "ip", "bellhop"], { stdio: ["ignore", "ignore", "inherit"] });
      const [code] = await once(program, "exit");
      if (code !== 0) throw new Error(`nft failed with code ${code}`);
      await promise;
      return [];
    }
  }
}

/** The Services of the next load. They are made before, because the watches have them in the product. */
let loaded: readonly MeasuredService[] = [];

async function run(measurement: Measurement): Promise<Measured> {
  if (measurement.kind === "load") {
    const { services: count, endpoints } = measurement;
    loaded = services(count, endpoints, { on: "n2" });
  }
  collect();
  await sleep(100);
  const before = memory("VmRSS");
  writeFileSync("/proc/self/clear_refs", "5");
  const cpu = process.cpuUsage();
  const transactionsMs = dataplane.transactionMs;
  let times: readonly number[] = [];
  const wholeMs = await timed(async () => {
    times = await measure(measurement);
  });
  const { user, system } = process.cpuUsage(cpu);
  const transactionMs = dataplane.transactionMs - transactionsMs;
  const peakMiB = memory("VmHWM") - before;
  await sleep(200);
  collect();
  const ms = times.length > 0 ? times : [wholeMs];
  return { ms, transactionMs, cpuMs: (user + system) / 1000, peakMiB, keptMiB: memory("VmRSS") - before };
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line))));
}
await dataplane.stop();
