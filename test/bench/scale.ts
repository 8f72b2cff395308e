import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { wholeNumber } from "../lab/whole-number.ts";
import { bundleProgram } from "./bundle.ts";
import { measuredNode } from "./measured-node.ts";
import type { ApiCommand, ApiReply, ControllerReply, ScaleSize } from "./scale/messages.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What a large cluster costs the controller: `npm run bench -- scale [nodes services pools]`. Needs no cluster: the API server is one in
 * memory, in a process of its own. All nodes are on one LAN, so each may announce each address. CPU is without what the controller uses at
 * rest in as much time. The longest stall is the longest time in which nothing else ran, such as the renewal of the leader lease. Where it
 * may, the controller runs with real-time priority (chrt), so that other programs of the machine do not add to its stalls.
 */
const [nodesText, servicesText = "5000", poolsText = "0"] = process.argv.slice(2);
const sizes: readonly ScaleSize[] =
  nodesText === undefined
    ? [
        { nodes: 1_000, services: 5_000, pools: 0 },
        { nodes: 5_000, services: 20_000, pools: 0 },
        { nodes: 100, services: 1_000, pools: 10_000 },
      ]
    : [
        {
          nodes: wholeNumber("nodes", nodesText, { from: 3, to: 100_000 }),
          services: wholeNumber("services", servicesText, { from: 1, to: 1_000_000 }),
          pools: wholeNumber("pools", poolsText, { from: 0, to: 100_000 }),
        },
      ];
/** What the controller does again and again is measured so often. */
const trials = 5;
/** What changes much is measured so often. */
const fewTrials = 3;
const quietMs = 2_000;
/** How often the controller is asked whether it is at rest again, and how long it must be. */
const sampleMs = 100;
const restMs = 3_000;
/** A watch that lasted for a minute has forgotten earlier failures (src/kube/reflector.ts). */
const healthyMs = 62_000;
/** A checkout of another version, for a comparison. */
const checkout = process.env.BENCH_CHECKOUT ?? join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
const controllerProgram = join(folder, "controller.mjs");

class Child<Reply> {
  readonly #process: ChildProcess;

  constructor(module: string, options: readonly string[], how: ForkOptions = {}) {
    this.#process = fork(module, options, how);
  }

  /** From now on `peakMiB` counts again (proc_pid_clear_refs in proc(5)). */
  resetPeak(): void {
    writeFileSync(`/proc/${this.#process.pid}/clear_refs`, "5");
  }

  /** The highest resident memory. */
  get peakMiB(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  }

  async reply(): Promise<Reply> {
    const [reply] = (await once(this.#process, "message")) as [Reply];
    return reply;
  }

  send(command: string): void {
    this.#process.send(command);
  }

  ask(command: string): Promise<Reply> {
    const reply = this.reply();
    this.send(command);
    return reply;
  }

  stop(): void {
    this.#process.disconnect();
  }
}

type Api = Child<ApiReply>;
type Measured = Child<ControllerReply>;

/** Waits until the controller writes no more and has little to do; throws when it never comes to rest. */
async function settle(api: Api, controller: Measured, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (let before = -1, cpuMs = Number.NEGATIVE_INFINITY; ; ) {
    const [{ writes = 0 }, now] = [await api.ask("count"), await controller.ask("read")];
    const busy = now.cpuMs - cpuMs > quietMs * 0.3 || cpuMs < 0;
    if (writes === before && !busy && now.leading) return;
    if (performance.now() > endMs) throw new Error(`the controller does not come to rest: ${JSON.stringify(now)}`);
    before = writes;
    cpuMs = now.cpuMs;
    await sleep(quietMs);
  }
}

async function measureRest(controller: Measured): Promise<number> {
  controller.send("reset");
  await sleep(quietMs * 2);
  return (await controller.ask("read")).cpuMs / (quietMs * 2);
}

/** Runs the command several times, and prints stall and CPU of each time until the controller is at rest again. */
async function measure(title: string, command: ApiCommand, times: number, api: Api, controller: Measured) {
  const stalls: number[] = [];
  const costs: number[] = [];
  for (let time = 0; time < times; time++) {
    const rest = await measureRest(controller);
    controller.send("reset");
    const startMs = performance.now();
    await api.ask(command);
    await sleep(quietMs);
    const { stallMs, cpuMs } = await controller.ask("read");
    stalls.push(stallMs);
    costs.push(cpuMs - rest * (performance.now() - startMs));
    await settle(api, controller, 60_000);
  }
  print(`${title}: CPU, ms: ${formatSpread(spreadOf(costs))}`);
  print(`${title}: longest stall, ms: ${formatSpread(spreadOf(stalls))}`);
}

/** Lets all watches expire several times, and prints what the controller needs until it knows everything again and is at rest. */
async function measureExpiry(title: string, command: ApiCommand, api: Api, controller: Measured): Promise<void> {
  const figures = new Map<string, number[]>();
  const { terms } = await controller.ask("read");
  for (let time = 0; time < fewTrials; time++) {
    await sleep(healthyMs);
    const rest = await measureRest(controller);
    const before = await api.ask("count");
    controller.send("reset");
    controller.resetPeak();
    await api.ask(command);
    const startMs = performance.now();
    const { cpuMs, stallMs, activeMs } = await waitForRest(api, controller, rest, before);
    const after = await api.ask("count");
    const measured = {
      "CPU, ms": cpuMs,
      "longest stall, ms": stallMs,
      "time until it is at rest, ms": activeMs - startMs,
      "lists and watches": (after.reads ?? 0) - (before.reads ?? 0),
      writes: (after.writes ?? 0) - (before.writes ?? 0),
      "highest resident memory, MiB": controller.peakMiB,
    };
    for (const [name, value] of Object.entries(measured)) figures.set(name, [...(figures.get(name) ?? []), value]);
  }
  for (const [name, values] of figures) print(`${title}: ${name}: ${formatSpread(spreadOf(values))}`);
  const end = await controller.ask("read");
  print(`${title}: lease ${end.leading && end.terms === terms ? "kept" : "LOST"}`);
}

/** Samples the controller until it has listed again and does nothing more. `activeMs`: when it did something the last time. */
async function waitForRest(
  api: Api,
  controller: Measured,
  rest: number,
  before: ApiReply,
): Promise<{ readonly cpuMs: number; readonly stallMs: number; readonly activeMs: number }> {
  const beganMs = performance.now();
  let [activeMs, last, lastRequests, lastCpuMs] = [beganMs, beganMs, 0, 0];
  for (;;) {
    await sleep(sampleMs);
    const { reads = 0, writes = 0 } = await api.ask("count");
    const now = await controller.ask("read");
    const nowMs = performance.now();
    const isBusy = now.cpuMs - lastCpuMs > (rest + 0.1) * (nowMs - last);
    if (isBusy || reads + writes !== lastRequests) activeMs = nowMs;
    [last, lastRequests, lastCpuMs] = [nowMs, reads + writes, now.cpuMs];
    const isAtRest = nowMs - activeMs > restMs && reads > (before.reads ?? 0);
    if (isAtRest) return { cpuMs: now.cpuMs - rest * (nowMs - beganMs), stallMs: now.stallMs, activeMs };
    if (nowMs - beganMs > 120_000) throw new Error(`the controller does not come to rest: ${JSON.stringify(now)}`);
  }
}

async function run(size: ScaleSize): Promise<void> {
  print(`${size.nodes} nodes, ${size.services} Services, ${size.pools + 1} pools`);
  const api: Api = new Child(join(import.meta.dirname, "scale/api-process.ts"), [JSON.stringify(size)]);
  const { url = "" } = await api.reply();
  const controller: Measured = new Child(controllerProgram, [url, String(size.services)], {
    execPath: measuredNode.command,
    execArgv: [...measuredNode.options],
  });
  try {
    controller.send("start");
    await sleep(quietMs * 5);
    await settle(api, controller, 120_000).catch((error: unknown) => print(String(error)));
    const begin = await controller.ask("read");
    const { writes = 0 } = await api.ask("count");
    print(`begin of leading: until nothing waits, ms: ${begin.beginMs?.toFixed(0) ?? "never"}`);
    print(`begin of leading: longest stall, ms: ${begin.stallMs.toFixed(0)}; terms: ${begin.terms}; writes: ${writes}`);
    print(`begin of leading: highest resident memory, MiB: ${controller.peakMiB.toFixed(0)}`);
    if (!begin.leading) return;
    await measure("full pass", "labelNode", trials, api, controller);
    if (size.pools > 0) await measure("one pool edited", "editPool", trials, api, controller);
    else await measure("one node lost", "loseNode", fewTrials, api, controller);
    await measureExpiry("all watches expire", "expireWatches", api, controller);
    // The others take minutes, and say little more about the largest clusters.
    if (size.services + size.pools > 5_000) return await printEnd(controller);
    await measureExpiry("all watches expire after changes", "expireWatchesAfterChanges", api, controller);
    await api.ask("refuseWatchLists");
    await measureExpiry("all watches expire, without WatchList", "expireWatches", api, controller);
    await printEnd(controller);
  } finally {
    controller.stop();
    api.stop();
  }
}

async function printEnd(controller: Measured): Promise<void> {
  const end = await controller.ask("read");
  print(`terms: ${end.terms}; resident memory, MiB: ${end.residentMiB.toFixed(0)}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  const source = join(import.meta.dirname, "scale/controller-process.ts");
  await bundleProgram(source, controllerProgram, join(checkout, "test/bench/scale"));
  for (const size of sizes) await run(size);
} finally {
  rmSync(folder, { recursive: true });
}
