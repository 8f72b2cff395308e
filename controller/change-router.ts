import { refusedServicesOf } from "../src/api/speaker.ts";
import type { Clock } from "../src/clock/clock.ts";
import { runInTurns, turnOf } from "../src/clock/turn.ts";
import { type EventRecorder, serviceSubject } from "../src/kube/event.ts";
import type { LeadershipTerm, TermPart } from "../src/kube/leadership-term.ts";
import type { InvalidObject } from "../src/kube/view-store.ts";
import type { IpMode } from "../src/model/ip-mode.ts";
import { reasonMessage, reasonOf, serviceObject } from "../src/model/reason.ts";
import { serviceKeyOf } from "../src/model/service-reference.ts";
import type { Claim } from "./allocate/claim/claim.ts";
import type { ChangeListener } from "./observe/change-feed.ts";
import type { ClusterState } from "./observe/cluster-state.ts";
import { Fingerprints } from "./observe/fingerprints.ts";
import type { Watched, WatchedResource } from "./observe/sources.ts";
import type { SpeakerWatch } from "./observe/speaker-watch.ts";
import type { PoolStatusLoop } from "./pools/pool-status-loop.ts";
import type { ServiceLoop } from "./services/service-loop.ts";
import type { OwnerAssignments } from "./virtual-ips/owner-assignments.ts";
import type { OwnerPlanner } from "./virtual-ips/owner-planner.ts";
import { poolMembershipDiffers } from "./virtual-ips/virtual-ip-conditions.ts";
import type { VirtualIpLoop } from "./virtual-ips/virtual-ip-loop.ts";

export interface ChangeRouterOptions {
  readonly term: LeadershipTerm;
  readonly watched: Watched;
  readonly state: ClusterState;
  readonly speakers: SpeakerWatch;
  readonly ownerAssignments: OwnerAssignments;
  readonly planner: OwnerPlanner;
  readonly services: ServiceLoop;
  readonly virtualIps: VirtualIpLoop;
  readonly pools: PoolStatusLoop;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Pending Services are planned again this long after an address was freed, once for all that were freed meanwhile. */
const wakeDelayMs = 100;

/**
 * Knows what follows from each change: updates the cluster state, and adds to the queues what is affected. While another controller
 * leads, it only updates the state.
 */
export class ChangeRouter implements ChangeListener, TermPart {
  readonly #options: ChangeRouterOptions;
  #wakeScheduled = false;
  /** The revision of the pools for which owners and pool memberships were last checked. */
  #routedPoolRevision = 0;
  /** The ipMode of each pool that sets one, as of that revision. */
  #ipModes: ReadonlyMap<string, IpMode> = new Map();
  /** What was reported of spec.externalIPs in this term, by key of the Service. */
  #reportedExternalIps = new Fingerprints();
  /** By node: the Services whose rules its kernel refuses; and for which Services that was reported in this term. */
  readonly #refusedRules = new Map<string, readonly string[]>();
  #reportedRefusedRules = new Fingerprints();

  constructor(options: ChangeRouterOptions) {
    this.#options = options;
  }

  /** Adds everything to the queues. */
  start(): Promise<void> {
    this.#routedPoolRevision = this.#options.state.poolRevision;
    this.#reportedExternalIps = new Fingerprints();
    this.#reportedRefusedRules = new Fingerprints();
    return this.resync();
  }

  stop(): void {}

  /** Adds everything to the queues, to repair what an event may have missed. Resolves when that is done, or the leadership has ended. */
  async resync(): Promise<void> {
    await this.#inTurns(this.#resyncAll());
  }

  *#resyncAll(): Generator<void, void> {
    const { watched, state, services, virtualIps, pools } = this.#options;
    for (const claim of state.claims.dropLost()) this.#addServicesOf(claim);
    for (const key of watched.services.views.keys()) {
      services.queue.add(key);
      yield;
    }
    for (const claim of state.allocations.claims.values()) {
      this.#addServicesOf(claim);
      yield;
    }
    for (const name of watched.virtualIps.views.keys()) {
      virtualIps.add(name);
      yield;
    }
    for (const name of state.claims.unreadableNames) virtualIps.add(name);
    for (const key of state.services.overExternalIpLimit) {
      this.#reportExternalIps(key);
      yield;
    }
    for (const key of new Set([...this.#refusedRules.values()].flat())) this.#reportRefusedRules(key);
    pools.addSoon(state.pools.names);
    this.#recordRefusedAdvertisements();
    this.allocationsChanged();
  }

  /** An event on the Service, whatever its type and class, when other Services may get more of its spec.externalIPs, or others. */
  #reportExternalIps(key: string): void {
    const { term, watched, state, events } = this.#options;
    const service = watched.services.views.get(key);
    if (!term.active || !state.services.isOverExternalIpLimit(key)) return;
    // Its pools are those that count.
    state.currentAllocations();
    const reason = state.services.externalIpReason(key);
    const message = reason === undefined ? "" : reasonMessage(reason);
    if (!this.#reportedExternalIps.changed(key, message) || reason === undefined || service === undefined) return;
    events.record(serviceSubject(service), { type: "Warning", reason: reason.code, message });
  }

  /** The speaker of a node has reported, perhaps other Services whose rules the kernel refuses. */
  #refusedRulesChanged(node: string): void {
    const speaker = this.#options.watched.speakers.views.get(node);
    const before = this.#refusedRules.get(node) ?? [];
    const now = speaker === undefined ? [] : refusedServicesOf(speaker);
    if (now.length > 0) this.#refusedRules.set(node, now);
    else this.#refusedRules.delete(node);
    for (const key of new Set([...before, ...now])) this.#reportRefusedRules(key);
  }

  /** One event on the Service when the first node refuses its rules, and none when others do. */
  #reportRefusedRules(key: string): void {
    const { term, watched, events } = this.#options;
    const service = watched.services.views.get(key);
    if (!term.active) return;
    const nodes = [...this.#refusedRules].filter(([, services]) => services.includes(key)).map(([node]) => node);
    const refused = service !== undefined && nodes.length > 0;
    if (!this.#reportedRefusedRules.changed(key, refused ? service.uid : "") || !refused) return;
    const reason = reasonOf("RulesRefused", {
      object: serviceObject(service),
      field: "",
      value: nodes.sort().join(", "),
    });
    events.record(serviceSubject(service), { type: "Warning", reason: reason.code, message: reasonMessage(reason) });
  }

  /** An advertisement that cannot be used has no status to say so. */
  #recordRefusedAdvertisements(): void {
    const { term, watched, state, events } = this.#options;
    if (!term.active) return;
    for (const { subject, reason } of state.advertisements.refused(watched.advertisements.views))
      events.record(subject, { type: "Warning", reason: reason.code, message: reasonMessage(reason) });
  }

  /** Each step only adds keys to queues, so it does not matter what happens between two steps. */
  async #inTurns(steps: Generator<void, void>): Promise<void> {
    const { term, clock } = this.#options;
    await runInTurns(turnOf(clock), steps, () => term.active);
  }

  changed(resource: WatchedResource, key: string): void {
    this.#route(resource, key);
    this.allocationsChanged();
  }

  invalid(resource: WatchedResource, key: string, invalid: InvalidObject | undefined, raw: unknown): void {
    const { term, state, planner, virtualIps } = this.#options;
    if (resource === "virtualIps") {
      state.claims.reject(key, invalid, raw);
      if (term.active) virtualIps.add(key);
      this.allocationsChanged();
    }
    if (resource === "pools") {
      state.pools.reject(key, invalid, raw);
      this.#poolsChanged();
    }
    if (resource === "advertisements") {
      state.advertisements.reject(key, invalid, raw);
      planner.advertisementsChanged();
      this.#recordRefusedAdvertisements();
    }
  }

  liveSpeakersChanged(): void {
    this.#options.planner.nodesChanged();
  }

  announceabilityChanged(claim: Claim): void {
    this.#addServicesOf(claim);
  }

  /** Fetches what the allocations have collected since the last call. */
  allocationsChanged(): void {
    const { state, pools } = this.#options;
    const changes = state.allocations.takeChanges();
    pools.addSoon(changes.pools);
    if (changes.freed) this.#wakeSoon();
    for (const name of changes.blockedClaims) {
      const claim = state.allocations.claims.get(name);
      if (claim !== undefined) this.#addServicesOf(claim);
    }
  }

  #route(resource: WatchedResource, key: string): void {
    const { state, speakers, planner, pools } = this.#options;
    switch (resource) {
      case "services":
        this.#planOwnersOf(state.services.observeService(key));
        this.#reportExternalIps(key);
        this.#addService(key);
        break;
      case "virtualIps":
        this.#virtualIpChanged(key);
        break;
      case "pools":
        if (state.pools.observe(key)) this.#poolsChanged();
        else pools.addSoon([key]);
        break;
      case "namespaces":
        this.#wakeSoon();
        break;
      case "slices":
        this.#sliceChanged(key);
        break;
      case "leases":
        speakers.leaseChanged(key);
        break;
      case "nodes":
        this.#nodeChanged(key);
        break;
      case "speakers":
        speakers.speakerChanged(key);
        if (state.nodes.observeSpeaker(key)) planner.nodesChanged();
        this.#refusedRulesChanged(key);
        break;
      case "serviceCidrs":
        this.#poolsChanged();
        break;
      case "advertisements":
        state.nodes.advertisementsChanged();
        planner.nodesChanged();
        break;
    }
  }

  #nodeChanged(name: string): void {
    const { pools, owners } = this.#options.state.nodes.observeNode(name);
    if (pools) this.#poolsChanged();
    if (owners) this.#options.planner.nodesChanged();
  }

  #sliceChanged(key: string): void {
    const { allocations, services } = this.#options.state;
    for (const service of services.observeSlice(key)) {
      this.#planOwnersOf(allocations.claimsOf(service));
      // With nodes' own addresses, the nodes with endpoints decide which addresses the Service has.
      if (allocations.nodes.hasPools) this.#addService(service);
    }
  }

  #virtualIpChanged(name: string): void {
    const { term, state, ownerAssignments, planner, virtualIps } = this.#options;
    const { changed, gone } = state.claims.observe(name);
    if (gone !== undefined) ownerAssignments.forget(gone.name);
    if (!term.active) return;
    for (const claim of changed) this.#addServicesOf(claim);
    if (ownerAssignments.observe(name)) planner.claimChanged(name);
    const held = state.allocations.claims.get(name)?.heldUntilMs !== undefined;
    for (const excess of state.claims.excessQuarantines) virtualIps.add(excess);
    const differs = this.#poolMembershipDiffers(name) || ownerAssignments.differs(name);
    if (held || differs || state.claims.invalidReason(name) !== undefined) virtualIps.add(name);
  }

  /** Whether the pool or the condition InPool of the VirtualIP is out of date. */
  #poolMembershipDiffers(name: string): boolean {
    const { watched, state } = this.#options;
    const object = watched.virtualIps.views.get(name);
    const membership = object === undefined ? undefined : state.poolMembership(name);
    return object !== undefined && membership !== undefined && poolMembershipDiffers(object, membership);
  }

  #poolsChanged(): void {
    this.#options.state.invalidatePools();
    this.#wakeSoon();
  }

  /** A little later, once for all changes until then: applies changed pools, and plans pending Services again. */
  #wakeSoon(): void {
    const { term, clock } = this.#options;
    if (this.#wakeScheduled || !term.active) return;
    this.#wakeScheduled = true;
    clock.after(wakeDelayMs, () => {
      this.#wakeScheduled = false;
      if (term.active) void this.#inTurns(this.#wake());
    });
  }

  *#wake(): Generator<void, void> {
    const { state, planner, services, virtualIps, pools } = this.#options;
    if (this.#routedPoolRevision !== state.poolRevision) {
      this.#routedPoolRevision = state.poolRevision;
      pools.addSoon(state.pools.names);
      planner.advertisementsChanged();
      const { claims, nodeClaims } = state.currentAllocations();
      const otherModes = this.#takeOtherIpModes();
      for (const [name, claim] of claims) {
        if (this.#poolMembershipDiffers(name)) virtualIps.add(name);
        if (otherModes.size > 0 && otherModes.has(state.allocations.poolOf(claim.address)?.name ?? ""))
          this.#addServicesOf(claim);
        yield;
      }
      for (const key of state.services.overExternalIpLimit) {
        this.#reportExternalIps(key);
        yield;
      }
      // Nodes may have joined, left or changed pools.
      for (const claim of nodeClaims) this.#addServicesOf(claim);
    }
    services.wakePending();
  }

  /** Names of the pools that set another ipMode than when this was last called: it is in the status of their Services. */
  #takeOtherIpModes(): ReadonlySet<string> {
    const before = this.#ipModes;
    const { pools } = this.#options.state.allocations;
    this.#ipModes = new Map(pools.flatMap(({ name, ipMode }) => (ipMode === undefined ? [] : [[name, ipMode]])));
    const names = [...before.keys(), ...this.#ipModes.keys()];
    return new Set(names.filter((name) => before.get(name) !== this.#ipModes.get(name)));
  }

  #planOwnersOf(claims: readonly Claim[]): void {
    for (const { name } of claims) this.#options.planner.claimChanged(name);
  }

  #addServicesOf(claim: Claim): void {
    for (const reference of claim.services) this.#addService(serviceKeyOf(reference));
  }

  #addService(key: string): void {
    if (this.#options.term.active) this.#options.services.add(key);
  }
}
