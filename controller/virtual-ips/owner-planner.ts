import type { Clock } from "../../src/clock/clock.ts";
import { virtualIpName } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import type { ServiceView } from "../../src/model/service.ts";
import type { Assignment } from "../allocate/allocation.ts";
import type { Claim } from "../allocate/claim.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watches } from "../observe/watches.ts";
import {
  type CandidateInput,
  type CandidatesOf,
  createCandidates,
  describeAnnouncerNodes,
} from "../owners/candidates.ts";
import { OwnerAssignments, type ReplanResult } from "./owner-assignments.ts";

export interface OwnerPlannerOptions {
  readonly clusterState: ClusterState;
  readonly watches: () => Watches;
  readonly live: () => ReadonlySet<string>;
  /** How long nodes must have been the same before addresses in use are evened out. */
  readonly rebalanceAfterMs: number;
  /** A VirtualIP says otherwise than is wanted. */
  readonly onDiffers: (name: string) => void;
  /** An address got its first announcer or lost the last. */
  readonly onVoiceChanged: (claim: Claim) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Changes are gathered this long, so that a burst of them is planned at once. */
const gatherMs = 50;

/** When owners are planned anew, and with what. Passes run only between start and stop. */
export class OwnerPlanner {
  readonly #options: OwnerPlannerOptions;
  readonly assignments: OwnerAssignments;
  #candidates: CandidatesOf | undefined;
  #announcerNodes = "";
  #running = false;
  /** Claims to look at again, and whether all are. */
  readonly #changed = new Set<string>();
  #allChanged = false;
  #cancelPass: (() => void) | undefined;
  #cancelEven: (() => void) | undefined;

  constructor(options: OwnerPlannerOptions) {
    this.#options = options;
    const { clusterState, watches } = options;
    this.assignments = new OwnerAssignments({
      claims: () => clusterState.allocations.claims,
      virtualIps: () => watches().virtualIps.views,
      candidates: () => this.#candidatesNow(),
      localNodes: (claim) => clusterState.localNodes(claim.services),
    });
  }

  /** Starts from what the objects say, and plans at once. */
  start(): void {
    this.#running = true;
    this.#changed.clear();
    this.#allChanged = false;
    this.#candidates = undefined;
    this.#announcerNodes = describeAnnouncerNodes(this.#candidateInput());
    this.assignments.reset();
    this.#pass(false);
  }

  stop(): void {
    this.#running = false;
    this.#cancelPass?.();
    this.#cancelEven?.();
    this.#cancelPass = undefined;
    this.#cancelEven = undefined;
  }

  /**
   * Speakers, nodes, leases or their interfaces may be others than before. Only where a node or a subnet has come or gone are
   * addresses evened out later, so that none that is served moves without such a cause.
   */
  nodesChanged(): void {
    this.advertisementsChanged();
    if (!this.#running) return;
    const announcerNodes = describeAnnouncerNodes(this.#candidateInput());
    if (announcerNodes === this.#announcerNodes) return;
    this.#announcerNodes = announcerNodes;
    this.#cancelEven?.();
    this.#cancelEven = this.#options.clock.after(this.#options.rebalanceAfterMs, () => {
      this.#cancelEven = undefined;
      this.#pass(true);
    });
  }

  /** What may be announced from where has changed, but no node has come or gone. */
  advertisementsChanged(): void {
    this.#candidates = undefined;
    if (!this.#running) return;
    this.#allChanged = true;
    this.#planSoon();
  }

  /** Where the endpoints of its Services are, or who has it, has changed. */
  claimChanged(name: string): void {
    if (!this.#running) return;
    this.#changed.add(name);
    this.#planSoon();
  }

  #planSoon(): void {
    this.#cancelPass ??= this.#options.clock.after(gatherMs, () => {
      this.#cancelPass = undefined;
      if (this.#allChanged) this.#pass(false);
      else this.#tell(this.assignments.replan([...this.#changed]), false);
      this.#allChanged = false;
      this.#changed.clear();
    });
  }

  /** Whether some node may announce what the Service has or is about to get. */
  hasAnnouncer(service: ServiceView, { address, pool, node, claim }: Assignment): boolean {
    // A node answers for its own address by itself.
    if (node !== undefined) return true;
    const { namespace, name, uid } = service;
    const planned: Claim = claim ?? {
      name: virtualIpName(address),
      address,
      pool,
      services: [{ namespace, name, uid }],
      ours: true,
      uid: "",
      resourceVersion: "",
    };
    return this.assignments.preview(planned).owners.length > 0;
  }

  #pass(even: boolean): void {
    this.#tell(this.assignments.replanAll(even), even);
  }

  #tell({ toWrite, announceabilityChanged }: ReplanResult, even: boolean): void {
    const { onDiffers, onVoiceChanged, log } = this.#options;
    if (toWrite.length > 0) log.info({ addresses: toWrite.length, even }, "owners change");
    for (const name of toWrite) onDiffers(name);
    for (const claim of announceabilityChanged) onVoiceChanged(claim);
  }

  #candidatesNow(): CandidatesOf {
    this.#candidates ??= createCandidates(this.#candidateInput());
    return this.#candidates;
  }

  #candidateInput(): CandidateInput {
    const { watches, live, clusterState } = this.#options;
    const { speakers, nodes, advertisements } = watches();
    return {
      speakers: speakers.views.values(),
      nodes: nodes.views,
      live: live(),
      advertisements: [...advertisements.views.values()],
      poolLabels: new Map(clusterState.currentAllocations().pools.map((pool) => [pool.name, pool.labels])),
    };
  }
}
