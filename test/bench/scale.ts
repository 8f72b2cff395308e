import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiCommand, ApiReply, ControllerReply, ScaleSize } from "./scale/messages.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What a large cluster costs the controller: `npm run bench -- scale [nodes services pools]`. Needs no cluster: the API server is one in
 * memory, in a process of its own. All nodes are on one LAN, so each may announce each address. CPU is without what the controller uses at
 * rest in as much time. The longest stall is the longest time in which nothing else ran, such as the renewal of the leader lease.
 */
const wanted = process.argv.slice(2, 5).map(Number);
const sizes: readonly ScaleSize[] =
  wanted.length === 0
    ? [
        { nodes: 1_000, services: 5_000, pools: 0 },
        { nodes: 5_000, services: 20_000, pools: 0 },
        { nodes: 100, services: 1_000, pools: 10_000 },
      ]
    : [{ nodes: wanted[0] ?? 1_000, services: wanted[1] ?? 5_000, pools: wanted[2] ?? 0 }];
/** What the controller does again and again is measured so often. */
const trials = 5;
const quietMs = 2_000;
/** The controller of another version, for a comparison. */
const controllerModule = process.env.BENCH_CONTROLLER ?? join(import.meta.dirname, "scale/controller-process.ts");

class Child<Reply> {
  readonly #process: ChildProcess;

  constructor(module: string, ...options: readonly string[]) {
    this.#process = fork(module, options);
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
    await sleep(command === "expireWatches" ? 3 * quietMs : quietMs);
    const { stallMs, cpuMs } = await controller.ask("read");
    stalls.push(stallMs);
    costs.push(cpuMs - rest * (performance.now() - startMs));
    await settle(api, controller, 60_000);
  }
  print(`${title}: CPU, ms: ${formatSpread(spreadOf(costs))}`);
  print(`${title}: longest stall, ms: ${formatSpread(spreadOf(stalls))}`);
}

async function run(size: ScaleSize): Promise<void> {
  print(`${size.nodes} nodes, ${size.services} Services, ${size.pools + 1} pools`);
  const api: Api = new Child(join(import.meta.dirname, "scale/api-process.ts"), JSON.stringify(size));
  const { url = "" } = await api.reply();
  const controller: Measured = new Child(controllerModule, url, String(size.services));
  try {
    controller.send("start");
    await sleep(quietMs * 5);
    await settle(api, controller, 120_000).catch((error: unknown) => print(String(error)));
    const begin = await controller.ask("read");
    const { writes = 0 } = await api.ask("count");
    print(`begin of leading: until nothing waits, ms: ${begin.beginMs?.toFixed(0) ?? "never"}`);
    print(`begin of leading: longest stall, ms: ${begin.stallMs.toFixed(0)}; terms: ${begin.terms}; writes: ${writes}`);
    if (!begin.leading) return;
    await measure("full pass", "labelNode", trials, api, controller);
    if (size.pools > 0) await measure("one pool edited", "editPool", trials, api, controller);
    else await measure("one node lost", "loseNode", 1, api, controller);
    await measure("all watches expire", "expireWatches", 1, api, controller);
    const end = await controller.ask("read");
    print(`terms: ${end.terms}; resident memory, MiB: ${end.residentMiB.toFixed(0)}`);
  } finally {
    controller.stop();
    api.stop();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

for (const size of sizes) await run(size);
