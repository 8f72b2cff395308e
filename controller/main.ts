import { randomBytes, randomUUID } from "node:crypto";
import {
  balancedNodesAnnotation,
  controllerFieldManager,
  leaderLeaseName,
  settingsAnnotation,
} from "../src/api/labels.ts";
import { aborted } from "../src/clock/clock.ts";
import { heartbeatKeyLength } from "../src/heartbeat/heartbeat-key.ts";
import { ApiEventRecorder } from "../src/kube/event-recorder.ts";
import { runLeaderElection } from "../src/kube/leader-election.ts";
import { type Program, type ProgramWork, runProgram } from "../src/program/run-program.ts";
import type { ControllerSettings } from "../src/settings/controller-settings.ts";
import { formatPublishedSettings } from "../src/settings/published-settings.ts";
import { Controller } from "./controller.ts";
import { type ReleaseDeletedOptions, releaseDeletedServices } from "./uninstall/release-deleted.ts";

/** The first part of the user agent, too. */
const name = controllerFieldManager;

/**
 * Shorter than client-go's 15, 10 and 2 s: a node that dies may take down the leader and an announcer at once, and the standby should
 * lead by the time the announcer's own lease (6 s) has expired. A needless change of leader only costs one look at everything.
 */
const electionTiming = { leaseMs: 6_000, renewDeadlineMs: 4_000, retryMs: 1_000 };
/** How long writing the last events may take when the process ends. */
const flushMs = 2_000;

/**
 * Runs the controller until the signal is aborted: watches, takes part in leader election, and acts while it leads. At the end it
 * finishes what is under way, releases the lease and writes the last events. Throws when it cannot start, or for a bug.
 */
export async function runController(settings: ControllerSettings, signal: AbortSignal): Promise<void> {
  await runProgram(name, settings, signal, (program) => prepareController(settings, program));
}

function prepareController(settings: ControllerSettings, program: Program): ProgramWork {
  const { client, clock, random, log, registry } = program;
  const { instance, namespace, defaultClass, leaderElect } = settings;
  const events = new ApiEventRecorder({
    client,
    component: name,
    instance,
    clock,
    log: log.child({ component: "events" }),
    registry,
    busy: () => controller.busy,
  });
  const controller: Controller = new Controller({
    ...program,
    settings,
    events,
    createKey: () => randomBytes(heartbeatKeyLength),
  });
  const published = { [settingsAnnotation]: formatPublishedSettings(settings) };
  const election = {
    client,
    namespace,
    name: leaderLeaseName,
    identity: `${instance}_${randomUUID()}`,
    lead: (leading: AbortSignal, annotations: Readonly<Record<string, string>>) =>
      controller.lead(leading, annotations[balancedNodesAnnotation]),
    clock,
    random,
    log: log.child({ component: "leader" }),
    timing: electionTiming,
    annotations: () => ({ ...published, ...annotationOf(controller.balancedNodes) }),
  };
  return {
    unready: () => controller.unready,
    facts: { namespace, instance, defaultClass },
    run: async (signal) => {
      // Stopping to lead still needs the watches.
      const watching = new AbortController();
      const watches = controller.watch(watching.signal);
      try {
        await startOrRelease(controller, { client, clock, log }, signal);
        if (!signal.aborted) await (leaderElect ? runLeaderElection(election, signal) : controller.lead(signal));
        await events.flush(flushMs);
      } finally {
        watching.abort();
        await watches;
      }
    },
  };
}

function annotationOf(balancedNodes: string | undefined): Readonly<Record<string, string>> {
  return balancedNodes === undefined ? {} : { [balancedNodesAnnotation]: balancedNodes };
}

/** Waits until the controller has seen everything. Until then, Services that are being deleted are released where a kind of Bellhop is missing. */
async function startOrRelease(
  controller: Controller,
  options: Omit<ReleaseDeletedOptions, "services">,
  signal: AbortSignal,
): Promise<void> {
  const started = new AbortController();
  const services = () => controller.services;
  const releasing = releaseDeletedServices({ ...options, services }, AbortSignal.any([signal, started.signal]));
  await Promise.race([controller.whenSynced(), aborted(signal)]);
  started.abort();
  await releasing;
}
