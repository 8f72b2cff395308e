import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Controller } from "../../../controller/controller.ts";
import { systemClock } from "../../../src/clock/clock.ts";
import { ApiEventRecorder } from "../../../src/kube/event-recorder.ts";
import { HttpsClient } from "../../../src/kube/https-client.ts";
import { runLeaderElection } from "../../../src/kube/leader-election.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { silentLogger } from "../../../src/log/log.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import { controllerSettingsSchema } from "../../../src/settings/controller-settings.ts";
import type { ControllerCommand, ControllerReply } from "./messages.ts";

/** The controller whose work is measured, as controller/main.ts runs it, apart from its HTTP server and log. */
const server = process.argv[2] ?? "";
const services = Number(process.argv[3]);
const timing = { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000 };
const log = silentLogger;
const clock = systemClock;
const random = Math.random;
const namespace = "bellhop-system";

const registry = createRegistry();
const credentials = { server, tls: {}, authorization: () => Promise.resolve(undefined) };
const client = new HttpsClient({ credentials, userAgent: "bench", clock });
const events = new ApiEventRecorder({ client, component: "bench", instance: "bench", clock, log, registry });
const controller = new Controller({
  createKey: () => new Uint8Array(32),
  client,
  settings: controllerSettingsSchema.parse({ namespace, instance: "bench", rebalanceAfterMs: 3_000 }),
  events,
  clock,
  random,
  log,
  registry,
  kubeMetrics: createKubeMetrics(registry),
});

const signal = new AbortController().signal;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let cpu = process.cpuUsage();
let leading = false;
let terms = 0;
let beginMs: number | undefined;

/** Waits until as many Services were looked at as there are. */
async function noteBegin(startMs: number): Promise<void> {
  let seen = 0;
  while (seen < services) {
    await sleep(5);
    const counter = await registry.getSingleMetric("bellhop_reconciles_total")?.get();
    seen = counter?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
  }
  beginMs = performance.now() - startMs;
}

async function start(): Promise<void> {
  void controller.watch(signal);
  await controller.whenSynced();
  reset();
  const startMs = performance.now();
  await runLeaderElection(
    {
      client,
      namespace,
      name: "bellhop-controller",
      identity: "bench",
      lead: async (term) => {
        leading = true;
        terms++;
        if (beginMs === undefined) void noteBegin(startMs);
        try {
          await controller.lead(term);
        } finally {
          leading = false;
        }
      },
      clock,
      random,
      log,
      timing,
    },
    signal,
  );
}

function reset(): void {
  delay.reset();
  cpu = process.cpuUsage();
}

function read(): ControllerReply {
  const { user, system } = process.cpuUsage(cpu);
  return {
    stallMs: delay.max / 1e6,
    cpuMs: (user + system) / 1000,
    leading,
    terms,
    beginMs,
    residentMiB: process.memoryUsage.rss() / 1024 / 1024,
  };
}

process.on("message", (command: ControllerCommand) => {
  if (command === "start") void start();
  else if (command === "reset") reset();
  else process.send?.(read());
});
process.on("disconnect", () => process.exit());
