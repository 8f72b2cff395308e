import { randomUUID } from "node:crypto";
import { aborted } from "../src/clock/aborted.ts";
import { systemClock } from "../src/clock/clock.ts";
import { startHttpServer } from "../src/http/server.ts";
import { connect } from "../src/kube/connect.ts";
import { ApiEventRecorder } from "../src/kube/event-recorder.ts";
import { runLeaderElection } from "../src/kube/leader-election.ts";
import { createKubeMetrics } from "../src/kube/metrics.ts";
import { createLogger } from "../src/log/log.ts";
import { collectProcessMetrics, createRegistry } from "../src/metrics/registry.ts";
import type { ControllerSettings } from "../src/settings/controller-settings.ts";
import { leaderLeaseName } from "../src/settings/leader-lease.ts";
import { Controller } from "./controller.ts";

/**
 * Shorter than client-go's 15, 10 and 2 s: a node that dies may take the leader along with an announcer, and the standby should lead
 * by the time the announcer's own lease (6 s) has run out. A needless change of leader costs nothing but a look at everything.
 */
const electionTiming = { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000 };
/** How long the last events may take when the process ends. */
const flushMs = 2_000;

/**
 * Runs the controller until the signal is aborted: watches, stands for leader, acts while it leads, and at the end finishes what
 * is under way, gives the lease back and writes the last events. Throws when it cannot start, or for a bug.
 */
export async function runController(settings: ControllerSettings, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const random = Math.random;
  const log = createLogger(settings.logLevel, "bellhop-controller");
  const registry = createRegistry();
  collectProcessMetrics(registry);
  const kubeMetrics = createKubeMetrics(registry);
  const client = await connect("bellhop-controller", settings.kubeconfig, kubeMetrics);
  const { instance, namespace } = settings;
  const eventLog = log.child({ component: "events" });
  const events = new ApiEventRecorder({
    client,
    component: "bellhop-controller",
    instance,
    clock,
    log: eventLog,
    registry,
    busy: () => controller.busy,
  });
  const controller: Controller = new Controller({
    client,
    settings,
    events,
    clock,
    random,
    log,
    registry,
    kubeMetrics,
  });
  const http = await startHttpServer({
    host: settings.httpHost,
    port: settings.httpPort,
    registry,
    unhealthy: () => [],
    unready: () => controller.unsynced.map((resource) => `${resource} are not listed yet`),
  });
  log.info({ port: http.port, namespace, instance, defaultClass: settings.defaultClass }, "started");
  // The watches outlive the leading, which still needs them while it stops.
  const watching = new AbortController();
  const watches = controller.watch(watching.signal);
  try {
    await Promise.race([controller.whenSynced(), aborted(signal)]);
    const lead = (leading: AbortSignal): Promise<void> => controller.lead(leading);
    if (!signal.aborted && !settings.leaderElect) await lead(signal);
    else if (!signal.aborted) {
      const identity = `${instance}_${randomUUID()}`;
      const room = log.child({ component: "leader" });
      const election = {
        client,
        namespace,
        name: leaderLeaseName,
        identity,
        lead,
        clock,
        random,
        log: room,
        timing: electionTiming,
      };
      await runLeaderElection(election, signal);
    }
    await events.flush(flushMs);
  } finally {
    watching.abort();
    await watches;
    await http.close();
    client.close();
    log.info("stopped");
  }
}
