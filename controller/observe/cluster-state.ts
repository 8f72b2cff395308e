import { hasFeature } from "../../src/api/speaker.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { defaultNamespaceLimits, type NamespaceLimits } from "../../src/settings/controller-settings.ts";
import { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { type PoolMembership, poolMembershipOf } from "../allocate/allocations/pool-membership.ts";
import { isInUse } from "../allocate/claim/claim.ts";
import { clusterNetworks } from "../allocate/pool/cluster-network.ts";
import { choosePools } from "../allocate/pool/pool-set.ts";
import type { CandidateInput } from "../owners/announcer-node.ts";
import { ObservedAdvertisements } from "./observed-advertisements.ts";
import { ObservedClaims } from "./observed-claims.ts";
import { ObservedNodes } from "./observed-nodes.ts";
import { ObservedPools } from "./observed-pools.ts";
import { ObservedServices } from "./observed-services.ts";
import { ReadyNodes } from "./ready-nodes.ts";
import type { Watched } from "./sources.ts";

/** What is derived from the watched views, updated key by key. Does not act on changes: it returns what they affect. */
export class ClusterState {
  readonly allocations: AddressAllocations;
  readonly claims: ObservedClaims;
  readonly pools: ObservedPools;
  readonly nodes: ObservedNodes;
  readonly services: ObservedServices;
  readonly advertisements = new ObservedAdvertisements();
  readonly #watched: Watched;
  #poolRevision = 1;
  #allocatedRevision = 0;

  constructor(watched: Watched, clock: Clock, limits: NamespaceLimits = defaultNamespaceLimits) {
    const readyNodes = new ReadyNodes();
    this.allocations = new AddressAllocations(readyNodes, limits);
    this.claims = new ObservedClaims(watched.virtualIps, this.allocations, clock);
    this.pools = new ObservedPools(watched.pools);
    this.nodes = new ObservedNodes(watched, this.allocations);
    this.services = new ObservedServices(watched, this.allocations, readyNodes, limits.externalIps);
    this.#watched = watched;
  }

  /** Increases with each change to what pools are made from. */
  get poolRevision(): number {
    return this.#poolRevision;
  }

  /** Call it when a pool, a network of the cluster or a node that pools depend on has changed. */
  invalidatePools(): void {
    this.#poolRevision++;
  }

  /** The allocations with the pools of this moment. Costs O(claims) after pools have changed, otherwise nothing. */
  currentAllocations(): AddressAllocations {
    if (this.#allocatedRevision === this.#poolRevision) return this.allocations;
    const { pools, serviceCidrs, nodes } = this.#watched;
    const networks = clusterNetworks(serviceCidrs.views.values(), nodes.views.values());
    const { usable, rejected } = choosePools(pools.views.values(), networks);
    this.allocations.setPools({ usable, rejected: new Map([...rejected, ...this.pools.invalidReasons]) });
    this.#allocatedRevision = this.#poolRevision;
    return this.allocations;
  }

  /** Which pool contains the address of a VirtualIP. Undefined where no Service has it, or it is not a valid claim. */
  poolMembership(name: string): PoolMembership | undefined {
    const allocations = this.currentAllocations();
    const claim = allocations.claims.get(name);
    return claim === undefined || !isInUse(claim) ? undefined : poolMembershipOf(allocations, claim);
  }

  /** Whether the speaker of one of these nodes has reported, and without this feature. */
  someSpeakerLacks(feature: string, live: ReadonlySet<string>): boolean {
    return [...this.#watched.speakers.views.values()].some(
      (speaker) => live.has(speaker.metadata.name) && hasFeature(speaker, feature) === false,
    );
  }

  /** The input for choosing owners at this moment. `live`: names of the nodes whose speaker is alive. */
  candidateInput(live: ReadonlySet<string>): CandidateInput {
    const { speakers, nodes, advertisements, services } = this.#watched;
    return {
      speakers: [...speakers.views.values()],
      nodes: nodes.views,
      live,
      advertisements: [...advertisements.views.values()],
      refusedAdvertisements: this.advertisements.refused(advertisements.views).map(({ reason }) => reason),
      serviceLabels: (key) => {
        const service = services.views.get(key);
        return service?.hasTooManyLabels ? undefined : service?.labels;
      },
      poolLabels: new Map(this.currentAllocations().pools.map((pool) => [pool.name, pool.labels])),
    };
  }
}
