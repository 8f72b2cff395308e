import { aborted, type Clock, type Random, repeat } from "../src/clock/clock.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { EventRecorder } from "../src/kube/event.ts";
import { LeadershipTerm, type TermPart } from "../src/kube/leadership-term.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import { reflectorFaults } from "../src/kube/reflector-health.ts";
import type { Logger } from "../src/log/log.ts";
import type { Registry } from "../src/metrics/registry.ts";
import type { ServiceView } from "../src/model/service.ts";
import { type ControllerSettings, metallbOf, namespaceLimitsOf } from "../src/settings/controller-settings.ts";
import { ChangeRouter } from "./change-router.ts";
import { KeySecretLoop } from "./heartbeat-key/key-secret-loop.ts";
import { registerControllerGauges } from "./metrics.ts";
import { ChangeFeed } from "./observe/change-feed.ts";
import { ClusterState } from "./observe/cluster-state.ts";
import { SpeakerWatch } from "./observe/speaker-watch.ts";
import { createWatches, eachWatch, type Watches } from "./observe/watches.ts";
import { PoolStatusLoop } from "./pools/pool-status-loop.ts";
import { RemovedNodeCleanup } from "./removed-nodes/removed-node-cleanup.ts";
import { createServiceMetrics } from "./services/metrics.ts";
import { MutationCache } from "./services/mutation-cache.ts";
import { ServiceLoop } from "./services/service-loop.ts";
import { ServiceWriter } from "./services/service-writer.ts";
import { CandidateCache } from "./virtual-ips/candidate-cache.ts";
import { HoldDeadlines } from "./virtual-ips/hold-deadlines.ts";
import { createVirtualIpMetrics } from "./virtual-ips/metrics.ts";
import { OwnerAssignments } from "./virtual-ips/owner-assignments.ts";
import { OwnerPlanner } from "./virtual-ips/owner-planner.ts";
import { VirtualIpLoop } from "./virtual-ips/virtual-ip-loop.ts";

export interface ControllerOptions {
  readonly client: ApiClient;
  readonly settings: ControllerSettings;
  readonly events: EventRecorder;
  /** Returns a new key of heartbeats: bytes of a cryptographic source. */
  readonly createKey: () => Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly kubeMetrics: KubeMetrics;
}

/** Looks at everything now and then, to repair what an event may have missed. */
const resyncMs = 10 * 60_000;

/** Builds the parts of the controller. They watch as long as `watch` runs, and write only while `lead` runs. */
export class Controller {
  readonly #clock: Clock;
  readonly #term = new LeadershipTerm();
  readonly #watches: Watches;
  readonly #state: ClusterState;
  readonly #speakers: SpeakerWatch;
  readonly #mutations = new MutationCache();
  readonly #services: ServiceLoop;
  readonly #router: ChangeRouter;
  readonly #planner: OwnerPlanner;
  readonly #parts: readonly TermPart[];

  /** Bottom-up: each part receives what it reads and what it drives. Only the change feed leads back up, to the router. */
  constructor({ client, settings, events, createKey, clock, random, log, registry, kubeMetrics }: ControllerOptions) {
    const { namespace, ignoreExcludeLabel, defaultClass, workers, rebalanceAfterMs } = settings;
    const metallb = metallbOf(settings);
    const ownersLog = log.child({ component: "owners" });
    const api = { client, events, clock };
    const term = this.#term;
    const mutations = this.#mutations;
    const changes = new ChangeFeed();

    const watches = createWatches({
      client,
      namespace,
      metallb,
      ignoreExcludeLabel,
      changes,
      clock,
      random,
      log: log.child({ component: "watch" }),
      metrics: kubeMetrics,
    });
    const state = new ClusterState(watches, clock, namespaceLimitsOf(settings));
    const { leases, speakers: reports, virtualIps: watchedVirtualIps, pools: watchedPools } = watches;
    const speakers = new SpeakerWatch({ client, namespace, leases, speakers: reports, changes, clock, log: ownersLog });

    const pools = new PoolStatusLoop({
      ...api,
      pools: watchedPools,
      state,
      random,
      log: log.child({ component: "pools" }),
    });

    const candidates = new CandidateCache(state, speakers);
    const { allocations, services: observedServices } = state;
    const ownerAssignments = new OwnerAssignments({
      allocations,
      virtualIps: watchedVirtualIps,
      candidates,
      services: observedServices,
      peers: settings.peersPerNode,
    });
    const holds = new HoldDeadlines(clock);
    const virtualIps = new VirtualIpLoop({
      ...api,
      virtualIps: watchedVirtualIps,
      state,
      ownerAssignments,
      holds,
      metrics: createVirtualIpMetrics(registry),
      workers: Math.max(4, workers / 2),
      random,
      log: log.child({ component: "virtual-ips" }),
    });
    const planner = new OwnerPlanner({
      term,
      candidates,
      ownerAssignments,
      virtualIps,
      changes,
      rebalanceAfterMs,
      clock,
      log: ownersLog,
    });

    const writer = new ServiceWriter({ ...api, allocations, ownerAssignments, holds, metallb, mutations });
    const services = new ServiceLoop({
      ...api,
      watched: watches,
      state,
      ownerAssignments,
      writer,
      mutations,
      changes,
      defaultClass,
      workers,
      metrics: createServiceMetrics(registry),
      random,
      log: log.child({ component: "services" }),
    });

    const router = new ChangeRouter({
      term,
      watched: watches,
      state,
      speakers,
      ownerAssignments,
      planner,
      services,
      virtualIps,
      pools,
      events,
      clock,
    });
    const cleanup = new RemovedNodeCleanup({ client, namespace, watched: watches, speakers, clock, log: ownersLog });
    const keySecret = new KeySecretLoop({ client, namespace, createKey, clock, log: log.child({ component: "key" }) });
    changes.listen(router);
    registerControllerGauges(registry, { term, state, services, virtualIps, pools, speakers, ownerAssignments });

    this.#clock = clock;
    this.#watches = watches;
    this.#state = state;
    this.#speakers = speakers;
    this.#services = services;
    this.#router = router;
    this.#planner = planner;
    this.#parts = [planner, router, services, virtualIps, pools, cleanup, keySecret];
  }

  /** Why this controller does not know the cluster as it is now; empty when it does. */
  get unready(): readonly string[] {
    return reflectorFaults(this.#watches, this.#clock.monotonicMs());
  }

  /** The Services that are known at this moment. */
  get services(): Iterable<ServiceView> {
    return this.#watches.services.views.values();
  }

  /** Whether Services are waiting in the queue. */
  get busy(): boolean {
    return this.#services.queue.depth > 0;
  }

  /** Runs all watches until aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    this.#speakers.run(signal);
    await Promise.all(eachWatch(this.#watches).map(([, reflector]) => reflector.run(signal)));
  }

  /** Resolves when every collection has been listed once. */
  async whenSynced(): Promise<void> {
    await Promise.all(eachWatch(this.#watches).map(([, reflector]) => reflector.whenSynced));
  }

  /** For the next leader: see OwnerPlanner. */
  get balancedNodes(): string | undefined {
    return this.#planner.balancedNodes;
  }

  /**
   * Acts until aborted, and resolves when no work is under way. Starts from what the API server says: addresses that are shown or
   * claimed are adopted before any other is assigned. `balancedNodes` is what the previous leader had when its leadership ended.
   */
  async lead(signal: AbortSignal, balancedNodes?: string): Promise<void> {
    await this.whenSynced();
    if (signal.aborted) return;
    this.#mutations.clear();
    this.#state.claims.dropUnconfirmed();
    this.#planner.balancedNodes = balancedNodes;
    await this.#services.adoptShown(signal);
    if (signal.aborted) return;
    const begun = this.#term.begin(this.#parts);
    repeat(
      this.#clock,
      () => resyncMs,
      () => void this.#router.resync(),
      signal,
    );
    const ended = aborted(signal);
    // What starts the parts may fail, and may take so long that the leadership ends before.
    await Promise.race([ended, begun.then(() => ended)]);
    await this.#term.end();
    await begun;
  }
}
