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
  /** Receives a call when an address gained its first node that may announce it, or lost the last one. */
  readonly changes: Pick<ChangeListener, "announceabilityChanged">;
  /** How long the nodes must be the same before addresses in use are balanced. */
  readonly rebalanceAfterMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Changes are collected for this long, so that a burst of them is planned once. */
const collectMs = 50;

/** Decides when owners are planned again. Does so only while this controller leads. */
export class OwnerPlanner implements TermPart {
  readonly #options: OwnerPlannerOptions;
  /** The nodes as text when the balance was last scheduled. */
  #nodes = "";
  /** Names of claims to plan again. */
  readonly #changed = new Set<string>();
  #allChanged = false;
  #cancelPlan: (() => void) | undefined;
  #cancelRebalance: (() => void) | undefined;

  constructor(options: OwnerPlannerOptions) {
    this.#options = options;
  }

  /** Starts from the owners in the objects, and plans all of them at once. */
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
   * Call it when speakers, nodes, leases or interfaces may have changed. Addresses are balanced later only if a node or a subnet was added
   * or removed, so that no address in use moves without such a cause.
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

  /** Call it when advertisements or pools have changed, but no node was added or removed. */
  advertisementsChanged(): void {
    this.#options.candidates.invalidate();
    if (!this.#options.term.active) return;
    this.#allChanged = true;
    this.#planSoon();
  }

  /** Call it when the Services of a claim, or the nodes of their endpoints, have changed. */
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
    if (toWrite.length > 0) log.info({ addresses: toWrite.length, even }, "changing owners of addresses");
    for (const name of toWrite) virtualIps.add(name);
    for (const claim of announceabilityChanged) changes.announceabilityChanged(claim);
  }
}
