import type { Clock } from "../src/clock/clock.ts";
import type { InvalidObject } from "../src/kube/view-store.ts";
import { serviceKeyOf } from "../src/model/service-reference.ts";
import type { Claim } from "./allocate/claim.ts";
import type { ObjectQueues } from "./object-queues.ts";
import type { ClusterState } from "./observe/cluster-state.ts";
import type { SpeakerWatch } from "./observe/speaker-watch.ts";
import type { Watched, WatchedResource } from "./observe/watches.ts";
import type { ServiceLoop } from "./services/service-loop.ts";
import type { OwnerPlanner } from "./virtual-ips/owner-planner.ts";

export interface ChangeRouterOptions {
  readonly watches: Watched;
  readonly clusterState: ClusterState;
  readonly speakers: SpeakerWatch;
  readonly owners: OwnerPlanner;
  readonly services: ServiceLoop;
  readonly queues: ObjectQueues;
  readonly clock: Clock;
}

/** Services that wait are looked at again this long after an address came free, once for all that came free meanwhile. */
const wakeDelayMs = 100;

/**
 * Knows what a change anywhere makes due: the cluster state is updated, and what has to be looked at goes into the queues. Without leading,
 * notes are all that is taken.
 */
export class ChangeRouter {
  readonly #options: ChangeRouterOptions;
  #leading = false;
  #wakePlanned = false;
  /** Whether pools have changed since owners were last told. */
  #poolsDiffer = false;

  constructor(options: ChangeRouterOptions) {
    this.#options = options;
  }

  /** From now on changes are acted upon; everything is looked at once. */
  start(): void {
    this.#leading = true;
    this.#poolsDiffer = false;
    this.lookAtAll();
  }

  stop(): void {
    this.#leading = false;
  }

  /** Makes everything due, whatever events may have missed. */
  lookAtAll(): void {
    const { watches, clusterState, services, queues } = this.#options;
    for (const claim of clusterState.dropLost()) this.addServicesOf(claim);
    for (const key of watches.services.views.keys()) services.queue.add(key);
    for (const claim of clusterState.allocations.claims.values()) this.addServicesOf(claim);
    for (const name of watches.virtualIps.views.keys()) queues.addVirtualIp(name);
    queues.notePools(...clusterState.poolNames());
  }

  /** An object of a watched collection has come, changed or gone. */
  changed(resource: WatchedResource, key: string): void {
    const { clusterState, speakers, owners, queues } = this.#options;
    switch (resource) {
      case "services":
        this.#ownersMayChange(clusterState.observeService(key));
        this.#addService(key);
        break;
      case "virtualIps":
        this.#virtualIpChanged(key);
        break;
      case "pools":
        if (clusterState.observePool(key)) this.#poolsChanged();
        else queues.notePools(key);
        break;
      case "namespaces":
        this.wakeLater();
        break;
      case "slices":
        this.#sliceChanged(key);
        break;
      case "leases":
        speakers.hear(key);
        break;
      case "nodes":
        if (clusterState.observeNode(key)) this.#poolsChanged();
        if (clusterState.differs("nodes", key)) owners.nodesChanged();
        break;
      case "speakers":
        if (!clusterState.differs("speakers", key)) break;
        clusterState.observeSpeaker(key);
        owners.nodesChanged();
        break;
      case "serviceCidrs":
        this.#poolsChanged();
        break;
      case "advertisements":
        owners.nodesChanged();
        break;
    }
  }

  /** An object does not follow its schema; without fault: it does again, or is gone. */
  invalid(resource: WatchedResource, key: string, fault: InvalidObject | undefined, raw: unknown): void {
    if (resource !== "pools") return;
    this.#options.clusterState.rejectPool(key, fault, raw);
    this.#poolsChanged();
  }

  /** Once for all that happens within a short while: pools are read anew, and Services that lack something looked at again. */
  wakeLater(): void {
    if (this.#wakePlanned || !this.#leading) return;
    this.#wakePlanned = true;
    this.#options.clock.after(wakeDelayMs, () => {
      this.#wakePlanned = false;
      if (this.#leading) this.#wake();
    });
  }

  addServicesOf(claim: Claim): void {
    for (const reference of claim.services) this.#addService(serviceKeyOf(reference));
  }

  #wake(): void {
    const { clusterState, owners, services, queues } = this.#options;
    if (this.#poolsDiffer) {
      owners.advertisementsChanged();
      for (const name of clusterState.allocations.claims.keys())
        if (clusterState.membershipDiffers(name)) queues.addVirtualIp(name);
      // Nodes may have come, gone or changed pools.
      for (const claim of clusterState.allocations.nodeClaims) this.addServicesOf(claim);
    }
    this.#poolsDiffer = false;
    services.wakePending();
  }

  #sliceChanged(key: string): void {
    const { clusterState } = this.#options;
    for (const service of clusterState.observeSlice(key)) {
      this.#ownersMayChange(clusterState.allocations.claimsOf(service));
      // Where endpoints are decides which nodes' own addresses the Service has.
      if (clusterState.allocations.nodes.hasPools) this.#addService(service);
    }
  }

  #virtualIpChanged(name: string): void {
    const { clusterState, owners, queues } = this.#options;
    const { changed, gone } = clusterState.observeVirtualIp(name);
    if (gone !== undefined) owners.assignments.forget(gone.name);
    if (!this.#leading) return;
    for (const claim of changed) this.addServicesOf(claim);
    if (owners.assignments.observe(name)) owners.claimChanged(name);
    const held = clusterState.allocations.claims.get(name)?.heldUntilMs !== undefined;
    const due =
      held ||
      clusterState.membershipDiffers(name) ||
      owners.assignments.differs(name) ||
      clusterState.claimReason(name) !== undefined;
    if (due) queues.addVirtualIp(name);
  }

  #poolsChanged(): void {
    const { clusterState, queues } = this.#options;
    clusterState.poolsDirty = true;
    this.#poolsDiffer = true;
    this.wakeLater();
    queues.notePools(...clusterState.poolNames());
  }

  #ownersMayChange(claims: readonly Claim[]): void {
    for (const { name } of claims) this.#options.owners.claimChanged(name);
  }

  #addService(key: string): void {
    if (this.#leading) this.#options.services.add(key);
  }
}
