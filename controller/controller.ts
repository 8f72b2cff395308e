import { isMetallbAnnotation } from "../src/api/metallb.ts";
import { aborted } from "../src/clock/aborted.ts";
import type { Clock, Random } from "../src/clock/clock.ts";
import { repeat } from "../src/clock/repeat.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { EventRecorder } from "../src/kube/event.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import type { Logger } from "../src/log/log.ts";
import type { Registry } from "../src/metrics/registry.ts";
import { projectService } from "../src/model/service.ts";
import type { Queue } from "../src/queue/queue.ts";
import type { ControllerSettings } from "../src/settings/controller-settings.ts";
import { AddressAllocations } from "./allocate/address-allocations.ts";
import { ChangeRouter } from "./change-router.ts";
import { type ControllerMetrics, createControllerMetrics } from "./metrics.ts";
import { ObjectQueues } from "./object-queues.ts";
import { ClusterState } from "./observe/cluster-state.ts";
import { SpeakerWatch } from "./observe/speaker-watch.ts";
import { createWatches, eachWatch, type WatchedResource, type Watches } from "./observe/watches.ts";
import { MutationCache } from "./services/mutation-cache.ts";
import { ServiceLoop } from "./services/service-loop.ts";
import { ServiceWriter } from "./services/service-writer.ts";
import { HoldDeadlines } from "./virtual-ips/hold-deadlines.ts";
import { OwnerPlanner } from "./virtual-ips/owner-planner.ts";

export interface ControllerOptions {
  readonly client: ApiClient;
  readonly settings: ControllerSettings;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly kubeMetrics: KubeMetrics;
}

/** A slow look at everything repairs what any event has missed. */
const resyncMs = 10 * 60_000;

/** The whole controller but for its process: watches always, writes only while `lead` runs. Puts the rooms together. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #watches: Watches;
  readonly #clusterState: ClusterState;
  readonly #newest = new MutationCache();
  readonly #speakers: SpeakerWatch;
  readonly #owners: OwnerPlanner;
  readonly #services: ServiceLoop;
  readonly #queues: ObjectQueues;
  readonly #router: ChangeRouter;
  readonly #metrics: ControllerMetrics;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, settings, events, clock, random, log } = options;
    const holds = new HoldDeadlines(clock);
    const allocations = new AddressAllocations({
      onTaken: (pool) => this.#queues.notePools(pool.name),
      onOutside: ({ pool }) => {
        if (pool !== undefined) this.#queues.notePools(pool);
      },
      onFreed: (pool) => {
        this.#queues.notePools(pool.name);
        this.#router.wakeLater();
      },
      readyNodesOf: (service) => this.#clusterState.readyNodes.of(service),
    });
    this.#queues = new ObjectQueues({
      client,
      events,
      workers: Math.max(4, settings.workers / 2),
      watches: () => this.#watches,
      clusterState: () => this.#clusterState,
      keeper: () => this.#owners.assignments,
      holds,
      moves: () => this.#metrics.moves,
      clock,
      random,
      log,
    });
    this.#watches = createWatches({
      client,
      namespace: settings.namespace,
      metallbNamespace: settings.metallb ? settings.metallbNamespace : undefined,
      onChange: (resource, key) => this.#router.changed(resource, key),
      onInvalid: (resource, key, fault, raw) => this.#router.invalid(resource, key, fault, raw),
      clock,
      random,
      log: log.child({ component: "watch" }),
      metrics: options.kubeMetrics,
    });
    this.#clusterState = new ClusterState(() => this.#watches, allocations, clock);
    this.#speakers = new SpeakerWatch({
      client,
      namespace: settings.namespace,
      leases: () => this.#watches.leases,
      onChange: () => this.#owners.nodesChanged(),
      clock,
      log: log.child({ component: "owners" }),
    });
    this.#owners = new OwnerPlanner({
      clusterState: this.#clusterState,
      watches: () => this.#watches,
      live: () => this.#speakers.live,
      rebalanceAfterMs: settings.rebalanceAfterMs,
      onDiffers: (name) => this.#queues.addVirtualIp(name),
      onVoiceChanged: (claim) => this.#router.addServicesOf(claim),
      clock,
      log: log.child({ component: "owners" }),
    });
    const writer = new ServiceWriter({
      client,
      events,
      allocations,
      project: (raw) => projectService(raw, settings.metallb ? isMetallbAnnotation : undefined),
      announce: (claim) => this.#owners.assignments.assignOwners(claim),
      holds,
      onReleased: (claim) => this.#owners.assignments.forget(claim.name),
      onWritten: (before, after) => this.#newest.written(before, after),
      clock,
    });
    this.#services = new ServiceLoop({
      allocations: () => this.#clusterState.currentAllocations(),
      writer,
      newest: this.#newest,
      services: () => this.#watches.services.views,
      namespaceLabels: (namespace) => this.#watches.namespaces.views.get(namespace)?.labels ?? {},
      hasAnnouncer: (service, assignment) => this.#owners.hasAnnouncer(service, assignment),
      defaultClass: settings.defaultClass,
      workers: settings.workers,
      metrics: () => this.#metrics,
      events,
      clock,
      random,
      log: log.child({ component: "services" }),
    });
    this.#router = new ChangeRouter({
      watches: this.#watches,
      clusterState: this.#clusterState,
      speakers: this.#speakers,
      owners: this.#owners,
      services: this.#services,
      queues: this.#queues,
      clock,
    });
    this.#metrics = createControllerMetrics(options.registry, {
      allocations,
      // One that only stands by reads its pools here.
      outside: () => this.#clusterState.currentAllocations().outside.values(),
      pendingByReason: () => countReasons(this.#services.pending.values()),
      queues: () => [
        queueState("Service", this.#services.queue),
        queueState("VirtualIP", this.#queues.virtualIps),
        queueState("IPAddressPool", this.#queues.pools),
      ],
      liveSpeakers: () => this.#speakers.live.size,
      ownersByNode: () => this.#owners.assignments.loads,
    });
  }

  /** What has not been listed yet. */
  get unsynced(): readonly WatchedResource[] {
    return eachWatch(this.#watches).flatMap(([resource, reflector]) => (reflector.synced ? [] : [resource]));
  }

  /** Whether Services wait for others to be worked on. */
  get busy(): boolean {
    return this.#services.queue.depth > 0;
  }

  /** Keeps all watches going until aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    this.#speakers.run(signal);
    await Promise.all(eachWatch(this.#watches).map(([, reflector]) => reflector.run(signal)));
  }

  async whenSynced(): Promise<void> {
    await Promise.all(eachWatch(this.#watches).map(([, reflector]) => reflector.whenSynced));
  }

  /**
   * Acts until aborted, and returns when nothing of it is under way any more. Starts from what the API server says: addresses
   * that are shown or claimed are adopted before any other is given.
   */
  async lead(signal: AbortSignal): Promise<void> {
    await this.whenSynced();
    if (signal.aborted) return;
    this.#begin();
    repeat(
      this.#options.clock,
      () => resyncMs,
      () => this.#router.lookAtAll(),
      signal,
    );
    await aborted(signal);
    this.#router.stop();
    this.#metrics.leading.set(0);
    this.#owners.stop();
    await Promise.all([this.#services.queue.stop(), this.#queues.stop()]);
  }

  #begin(): void {
    this.#newest.clear();
    this.#clusterState.dropUnconfirmed();
    this.#services.adoptShown();
    this.#owners.start();
    this.#router.start();
    this.#metrics.leading.set(1);
    this.#services.queue.start();
    this.#queues.start();
  }
}

function queueState(name: string, queue: Queue<string>) {
  return { name, depth: queue.depth, failing: queue.failing };
}

function countReasons(reasons: Iterable<{ readonly code: string }>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { code } of reasons) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
