import type { Clock } from "../../src/clock/clock.ts";
import type { LeadershipTerm, TermPart } from "../../src/kube/leadership-term.ts";
import type { Logger } from "../../src/log/log.ts";
import type { ChangeListener } from "../observe/change-feed.ts";
import type { CandidateCache } from "./candidate-cache.ts";
import type { OwnerAssignments, ReplanResult } from "./owner-assignments.ts";
import type { VirtualIpLoop } from "./virtual-ip-loop.ts";

export interface OwnerPlannerOptions {
  readonly term: LeadershipTerm;
  readonly candidates: CandidateCache;
  readonly assignments: OwnerAssignments;
  /** Writes the VirtualIPs whose owners differ from the plan. */
  readonly virtualIps: VirtualIpLoop;
  /** Hears when an address got its first node that may announce it, or lost the last. */
  readonly changes: Pick<ChangeListener, "announceabilityChanged">;
  /** How long nodes must have been the same before addresses in use are evened out. */
  readonly rebalanceAfterMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Changes are collected this long, so that a burst of them is planned at once. */
const collectMs = 50;

/** Decides when owners are planned again. Plans only while this controller leads. */
export class OwnerPlanner implements TermPart {
  readonly #options: OwnerPlannerOptions;
  #nodes = "";
  /** Claims to plan again, and whether all are. */
  readonly #changed = new Set<string>();
  #allChanged = false;
  #cancelPlan: (() => void) | undefined;
  #cancelRebalance: (() => void) | undefined;

  constructor(options: OwnerPlannerOptions) {
    this.#options = options;
  }

  /** Starts from what the objects say, and plans at once. */
  start(): void {
    const { candidates, assignments } = this.#options;
    this.#changed.clear();
    this.#allChanged = false;
    candidates.invalidate();
    this.#nodes = candidates.describeNodes();
    assignments.reset();
    this.#planAll(false);
  }

  stop(): void {
    this.#cancelPlan?.();
    this.#cancelRebalance?.();
    this.#cancelPlan = undefined;
    this.#cancelRebalance = undefined;
  }

  /**
   * Speakers, nodes, leases or their interfaces may have changed. Only where a node or a subnet was added or removed are addresses
   * evened out later, so that no address in use moves without such a cause.
   */
  nodesChanged(): void {
    this.advertisementsChanged();
    const { term, candidates, clock, rebalanceAfterMs } = this.#options;
    if (!term.active) return;
    const nodes = candidates.describeNodes();
    if (nodes === this.#nodes) return;
    this.#nodes = nodes;
    this.#cancelRebalance?.();
    this.#cancelRebalance = clock.after(rebalanceAfterMs, () => {
      this.#cancelRebalance = undefined;
      this.#planAll(true);
    });
  }

  /** What may be announced from where has changed, but no node was added or removed. */
  advertisementsChanged(): void {
    this.#options.candidates.invalidate();
    if (!this.#options.term.active) return;
    this.#allChanged = true;
    this.#planSoon();
  }

  /** Where the endpoints of its Services are, or which Services have it, has changed. */
  claimChanged(name: string): void {
    if (!this.#options.term.active) return;
    this.#changed.add(name);
    this.#planSoon();
  }

  #planSoon(): void {
    this.#cancelPlan ??= this.#options.clock.after(collectMs, () => {
      this.#cancelPlan = undefined;
      if (this.#allChanged) this.#planAll(false);
      else this.#apply(this.#options.assignments.replan([...this.#changed]), false);
      this.#allChanged = false;
      this.#changed.clear();
    });
  }

  #planAll(even: boolean): void {
    this.#apply(this.#options.assignments.replanAll(even), even);
  }

  #apply({ toWrite, announceabilityChanged }: ReplanResult, even: boolean): void {
    const { virtualIps, changes, log } = this.#options;
    if (toWrite.length > 0) log.info({ addresses: toWrite.length, even }, "owners change");
    for (const name of toWrite) virtualIps.add(name);
    for (const claim of announceabilityChanged) changes.announceabilityChanged(claim);
  }
}
