import type { Clock, Random } from "../src/clock/clock.ts";
import type { ControllerSettings } from "../src/config/controller-settings.ts";
import { isMetallbWish } from "../src/config/metallb.ts";
import { ApiError, isConflict } from "../src/kube/api-error.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { EventRecorder } from "../src/kube/event-recorder.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import type { Logger } from "../src/log/log.ts";
import type { Registry } from "../src/metrics/registry.ts";
import { projectService } from "../src/model/service.ts";
import { Queue } from "../src/queue/queue.ts";
import { AddressBook } from "./allocate/address-book.ts";
import { type Claim, referenceKey } from "./allocate/claim.ts";
import { type ControllerMetrics, createControllerMetrics } from "./metrics.ts";
import { HoldDeadlines } from "./placement/hold-deadlines.ts";
import { OwnerPasses } from "./placement/owner-passes.ts";
import { SpeakerWatch } from "./placement/speaker-watch.ts";
import { writeVirtualIp } from "./placement/virtual-ip-writer.ts";
import { NewestViews } from "./reconcile/newest-views.ts";
import { ServiceLoop } from "./reconcile/service-loop.ts";
import { ServiceWriter } from "./reconcile/service-writer.ts";
import { createWatches, eachWatch, type WatchedResource, type Watches } from "./reconcile/watches.ts";
import { World } from "./reconcile/world.ts";
import { writePoolStatus } from "./status/pool-status.ts";

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

/** Counts of a pool are written at most this often; each write wakes every reader of pools. */
const poolStatusDelayMs = 1_000;
/** Services that wait are looked at again this long after an address came free, once for all that came free meanwhile. */
const wakeDelayMs = 100;
/** A slow look at everything repairs what any event has missed. */
const resyncMs = 10 * 60_000;

/** The whole controller but for its process: watches always, writes only while `lead` runs. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #watches: Watches;
  readonly #world: World;
  readonly #newest = new NewestViews();
  readonly #speakers: SpeakerWatch;
  readonly #owners: OwnerPasses;
  readonly #services: ServiceLoop;
  readonly #virtualIpQueue: Queue<string>;
  readonly #poolQueue: Queue<string>;
  readonly #metrics: ControllerMetrics;
  #leading = false;
  #wakePlanned = false;
  /** Whether pools have changed since owners were last told. */
  #poolsDiffer = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, settings, events, clock, random, log } = options;
    const holds = new HoldDeadlines(clock);
    const book = new AddressBook({
      onTaken: (pool) => this.#poolQueue?.addAfter(pool.name, poolStatusDelayMs),
      onOutside: ({ pool }) => {
        if (pool !== undefined) this.#poolQueue?.addAfter(pool, poolStatusDelayMs);
      },
      onFreed: (pool) => {
        this.#poolQueue?.addAfter(pool.name, poolStatusDelayMs);
        this.#wakeLater();
      },
      readyNodesOf: (service) => this.#world.readyNodes.of(service),
    });
    this.#virtualIpQueue = this.#queue("VirtualIP", Math.max(4, settings.workers / 2), (name) =>
      writeVirtualIp(
        {
          client,
          events,
          keeper: this.#owners.keeper,
          virtualIps: () => this.#watches.virtualIps.views,
          membership: (virtualIp) => this.#world.membership(virtualIp),
          holds,
          heldUntilMs: (virtualIp) => this.#world.book.claims.get(virtualIp)?.heldUntilMs,
          later: (virtualIp, ms) => this.#virtualIpQueue.addAfter(virtualIp, ms),
          fault: (virtualIp) => this.#world.claimFault(virtualIp),
          moves: this.#metrics.moves,
          clock,
        },
        name,
      ),
    );
    this.#poolQueue = this.#queue("IPAddressPool", 2, (name) => this.#writePool(name));
    this.#watches = createWatches({
      client,
      namespace: settings.namespace,
      metallbNamespace: settings.metallb ? settings.metallbNamespace : undefined,
      onChange: (resource, key) => this.#onChange(resource, key),
      onInvalid: (resource, key, fault, raw) => {
        if (resource !== "pools") return;
        this.#world.setAsidePool(key, fault, raw);
        this.#poolsChanged();
      },
      clock,
      random,
      log: log.child({ room: "watch" }),
      metrics: options.kubeMetrics,
    });
    this.#world = new World(() => this.#watches, book, clock);
    this.#speakers = new SpeakerWatch({
      client,
      namespace: settings.namespace,
      leases: () => this.#watches.leases,
      onChange: () => this.#owners.nodesChanged(),
      clock,
      log: log.child({ room: "owners" }),
    });
    this.#owners = new OwnerPasses({
      world: this.#world,
      watches: () => this.#watches,
      live: () => this.#speakers.live,
      rebalanceAfterMs: settings.rebalanceAfterMs,
      onDiffers: (name) => this.#virtualIpQueue.add(name),
      onVoiceChanged: (claim) => this.#addServicesOf(claim),
      clock,
      log: log.child({ room: "owners" }),
    });
    const writer = new ServiceWriter({
      client,
      events,
      book,
      project: (raw) => projectService(raw, settings.metallb ? isMetallbWish : undefined),
      announce: (claim) => this.#owners.keeper.announce(claim),
      holds,
      onReleased: (claim) => this.#owners.keeper.forget(claim.name),
      onWritten: (before, after) => this.#newest.written(before, after),
      clock,
    });
    this.#services = new ServiceLoop({
      ledger: () => this.#world.currentBook(),
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
      log: log.child({ room: "reconcile" }),
    });
    this.#metrics = createControllerMetrics(options.registry, {
      book,
      // One that only stands by reads its pools here.
      outside: () => this.#world.currentBook().outside.values(),
      pendingByReason: () => countReasons(this.#services.pending.values()),
      queues: () => [
        queueState("Service", this.#services.queue),
        queueState("VirtualIP", this.#virtualIpQueue),
        queueState("IPAddressPool", this.#poolQueue),
      ],
      liveSpeakers: () => this.#speakers.live.size,
      ownersByNode: () => this.#owners.keeper.loads,
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
    const { clock } = this.#options;
    const resync = (): void => {
      this.#lookAtAll();
      cancel = clock.after(resyncMs, resync);
    };
    let cancel = clock.after(resyncMs, resync);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    cancel();
    this.#leading = false;
    this.#metrics.leading.set(0);
    this.#owners.stop();
    await Promise.all([this.#services.queue.stop(), this.#virtualIpQueue.stop(), this.#poolQueue.stop()]);
  }

  #begin(): void {
    this.#newest.clear();
    this.#world.dropUnconfirmed();
    this.#services.adoptShown();
    this.#owners.start();
    this.#leading = true;
    this.#poolsDiffer = false;
    this.#metrics.leading.set(1);
    this.#lookAtAll();
    this.#services.queue.start();
    this.#virtualIpQueue.start();
    this.#poolQueue.start();
  }

  #lookAtAll(): void {
    for (const claim of this.#world.dropLost()) this.#addServicesOf(claim);
    for (const key of this.#watches.services.views.keys()) this.#services.queue.add(key);
    for (const claim of this.#world.book.claims.values()) this.#addServicesOf(claim);
    for (const name of this.#watches.virtualIps.views.keys()) this.#virtualIpQueue.add(name);
    for (const name of this.#world.poolNames()) this.#poolQueue.addAfter(name, poolStatusDelayMs);
  }

  #onChange(resource: WatchedResource, key: string): void {
    switch (resource) {
      case "services":
        this.#ownersMayChange(this.#world.observeService(key));
        this.#addService(key);
        break;
      case "virtualIps":
        this.#onVirtualIp(key);
        break;
      case "pools":
        if (this.#world.observePool(key)) this.#poolsChanged();
        else this.#poolQueue.addAfter(key, poolStatusDelayMs);
        break;
      case "namespaces":
        this.#wakeLater();
        break;
      case "slices":
        this.#onSlice(key);
        break;
      case "leases":
        this.#speakers.hear(key);
        break;
      case "nodes":
        if (this.#world.observeNode(key)) this.#poolsChanged();
        if (this.#world.differs("nodes", key)) this.#owners.nodesChanged();
        break;
      case "speakers":
        if (!this.#world.differs("speakers", key)) break;
        this.#world.observeSpeaker(key);
        this.#owners.nodesChanged();
        break;
      case "serviceCidrs":
        this.#poolsChanged();
        break;
      case "advertisements":
        this.#owners.nodesChanged();
        break;
    }
  }

  #onSlice(key: string): void {
    const service = this.#world.observeSlice(key);
    if (service === undefined) return;
    const { book } = this.#world;
    this.#ownersMayChange(book.claimsOf(service));
    // Where endpoints are decides which nodes' own addresses the Service has.
    if (book.pools.some(({ nodes }) => nodes !== undefined)) this.#addService(service);
  }

  #onVirtualIp(name: string): void {
    const { changed, gone } = this.#world.observeVirtualIp(name);
    if (gone !== undefined) this.#owners.keeper.forget(gone.name);
    if (!this.#leading) return;
    for (const claim of changed) this.#addServicesOf(claim);
    if (this.#owners.keeper.heed(name)) this.#owners.claimChanged(name);
    const held = this.#world.book.claims.get(name)?.heldUntilMs !== undefined;
    const due =
      held ||
      this.#world.membershipDiffers(name) ||
      this.#owners.keeper.differs(name) ||
      this.#world.claimFault(name) !== undefined;
    if (due) this.#virtualIpQueue.add(name);
  }

  #poolsChanged(): void {
    this.#world.poolsDirty = true;
    this.#poolsDiffer = true;
    this.#wakeLater();
    for (const name of this.#world.poolNames()) this.#poolQueue.addAfter(name, poolStatusDelayMs);
  }

  /** Once for all that happens within a short while: pools are read anew, and Services that lack something looked at again. */
  #wakeLater(): void {
    if (this.#wakePlanned || !this.#leading) return;
    this.#wakePlanned = true;
    this.#options.clock.after(wakeDelayMs, () => {
      this.#wakePlanned = false;
      if (!this.#leading) return;
      if (this.#poolsDiffer) {
        this.#owners.advertisementsChanged();
        for (const name of this.#world.book.claims.keys()) {
          if (this.#world.membershipDiffers(name)) this.#virtualIpQueue.add(name);
        }
      }
      // Nodes may have come, gone or changed pools.
      if (this.#poolsDiffer) for (const claim of this.#world.book.nodeClaims) this.#addServicesOf(claim);
      this.#poolsDiffer = false;
      this.#services.wakePending();
    });
  }

  #ownersMayChange(claims: readonly Claim[]): void {
    for (const { name } of claims) this.#owners.claimChanged(name);
  }

  #addService(key: string): void {
    if (this.#leading) this.#services.add(key);
  }

  #addServicesOf(claim: Claim): void {
    for (const reference of claim.services) this.#addService(referenceKey(reference));
  }

  #writePool(name: string): Promise<void> {
    const { client, events, clock } = this.#options;
    const pool = this.#world.poolObject(name);
    if (pool === undefined) return Promise.resolve();
    return writePoolStatus({ client, events, clock }, pool, this.#world.poolFacts(name));
  }

  #queue(kind: string, workers: number, handle: (key: string) => Promise<void>): Queue<string> {
    const { clock, random, log } = this.#options;
    return new Queue({
      workers,
      handle,
      onFailure: (key, error, retryMs) => {
        if (isConflict(error)) return;
        log.warn({ kind, key, retryMs: Math.round(retryMs), err: error }, "an object could not be written");
      },
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock,
      random,
    });
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
