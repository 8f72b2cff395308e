import { monitorEventLoopDelay } from "node:perf_hooks";
import { Controller } from "../../controller/controller.ts";
import { systemClock as clock } from "../../src/clock/clock.ts";
import type { Credentials } from "../../src/kube/credentials.ts";
import { ApiEventRecorder } from "../../src/kube/event-recorder.ts";
import { HttpsClient } from "../../src/kube/https-client.ts";
import { runLeaderElection } from "../../src/kube/leader-election.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { createLogger } from "../../src/log/log.ts";
import { createRegistry } from "../../src/metrics/registry.ts";
import { controllerSettingsSchema } from "../../src/settings/controller-settings.ts";

/**
 * A controller with its leader election for the API server in the first argument. As in a pod it loads no kubeconfig, which would be
 * 80 MB that no pod has. Each SIGUSR2 lets it print its longest stall since the last one.
 */
const [server = ""] = process.argv.slice(2);
const unused = { tls: {}, authorization: () => Promise.resolve(undefined) };
const credentials = { server, ...unused } as unknown as Credentials;
const client = new HttpsClient({ credentials, userAgent: "bench", clock });
const registry = createRegistry();
const [namespace, instance] = ["bellhop-system", "bench"];
const log = createLogger("info", instance);
const common = { client, clock, random: Math.random, log, registry };
const controller = new Controller({
  createKey: () => new Uint8Array(32),
  ...common,
  settings: controllerSettingsSchema.parse({ namespace, instance }),
  events: new ApiEventRecorder({ ...common, component: instance, instance }),
  kubeMetrics: createKubeMetrics(registry),
});
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
process.on("SIGUSR2", () => {
  process.stdout.write(`stall ${Math.round(delay.max / 1e6)}\n`);
  delay.reset();
});
void controller.watch(new AbortController().signal);
await controller.whenSynced();
let terms = 0;
await runLeaderElection(
  {
    ...common,
    namespace,
    name: "bellhop-controller",
    identity: instance,
    lead: (signal) => {
      process.stdout.write(`term ${++terms}\n`);
      return controller.lead(signal);
    },
    timing: { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000 },
  },
  new AbortController().signal,
);
