import { createHash } from "node:crypto";
import type { Clock } from "../../src/clock/clock.ts";
import { runInTurns, turnOf } from "../../src/clock/turn.ts";
import type { LeadershipTerm, TermPart } from "../../src/kube/leadership-term.ts";
import type { Logger } from "../../src/log/log.ts";
import type { ChangeListener } from "../observe/change-feed.ts";
import type { CandidateCache } from "./candidate-cache.ts";
import type { OwnerAssignments } from "./owner-assignments.ts";
import type { ReplanResult } from "./replan-owners.ts";
import type { VirtualIpLoop } from "./virtual-ip-loop.ts";

export interface OwnerPlannerOptions {
  readonly term: LeadershipTerm;
  readonly candidates: CandidateCache;
  readonly ownerAssignments: OwnerAssignments;
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
/** A process that has just started counts a dead speaker as alive until its Lease has not been renewed for 20 s (speaker/report/lease-timing.ts). */
const settledMs = 30_000;
/** In place of a digest, from a change of nodes until addresses are balanced for it. */
const balancePending = "pending";

/** Decides when owners are planned again. Does so only while this controller leads. */
export class OwnerPlanner implements TermPart {
  readonly #options: OwnerPlannerOptions;
  /**
   * A digest of the nodes over which addresses in use were balanced last, or `balancePending`. It outlives the leadership (on the leader's
   * Lease): the next leader also balances for a change of nodes for which this leader did not. Undefined: not known.
   */
  balancedNodes: string | undefined;
  /** The nodes as text when the balance was last scheduled. */
  #nodes = "";
  #nodesChanged = false;
  /** Names of claims to plan again. */
  readonly #changed = new Set<string>();
  #allChanged = false;
  #evenDue = false;
  #cancelPlan: (() => void) | undefined;
  #cancelRebalance: (() => void) | undefined;
  /** Whether any VirtualIP has had to be written since the start. */
  #differed = false;
  /** Identifies the run of `#plan` that is under way. Undefined: none is, or the leadership has ended. */
  #running: object | undefined;

  constructor(options: OwnerPlannerOptions) {
    this.#options = options;
  }

  /** Starts from the owners in the objects. Resolves when all addresses are planned. */
  async start(): Promise<void> {
    const { candidates, ownerAssignments } = this.#options;
    this.#changed.clear();
    this.#evenDue = false;
    this.#nodesChanged = false;
    candidates.invalidate();
    this.#nodes = candidates.describeNodes();
    this.#differed = false;
    ownerAssignments.reset();
    this.#allChanged = true;
    await this.#plan();
    this.#balanceForPreviousLeader();
  }

  stop(): void {
    this.#cancelPlan?.();
    this.#cancelRebalance?.();
    this.#cancelPlan = undefined;
    this.#cancelRebalance = undefined;
    this.#running = undefined;
    this.balancedNodes = undefined;
  }

  /** Also for nodes that were lost while no controller led, and are back: other nodes announce their addresses now, so the plan differs. */
  #balanceForPreviousLeader(): void {
    if (this.#cancelRebalance !== undefined) return;
    const before = this.balancedNodes;
    this.balancedNodes = digestOf(this.#nodes);
    if (before === undefined || (before === this.balancedNodes && !this.#differed)) return;
    this.#rebalanceLater(Math.max(settledMs, this.#options.rebalanceAfterMs));
  }

  /**
   * Call it when speakers, nodes, leases or interfaces may have changed. Addresses are balanced later only if a node or a subnet was added
   * or removed, so that no address in use moves without such a cause.
   */
  nodesChanged(): void {
    if (this.#options.term.active) this.#nodesChanged = true;
    this.advertisementsChanged();
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
      void this.#plan();
    });
  }

  #rebalanceLater(delayMs = this.#options.rebalanceAfterMs): void {
    this.#evenDue = false;
    this.balancedNodes = balancePending;
    this.#cancelRebalance?.();
    this.#cancelRebalance = this.#options.clock.after(delayMs, () => {
      this.#cancelRebalance = undefined;
      this.#evenDue = true;
      void this.#plan();
    });
  }

  /** Plans everything that has changed, until nothing has. Does nothing while another run is under way. */
  async #plan(): Promise<void> {
    if (this.#running !== undefined) return;
    const running = {};
    this.#running = running;
    const goesOn = (): boolean => this.#running === running;
    while (goesOn() && (this.#allChanged || this.#evenDue || this.#changed.size > 0)) {
      await runInTurns(turnOf(this.#options.clock), this.#planDue(), goesOn);
    }
    if (goesOn()) this.#running = undefined;
  }

  *#planDue(): Generator<void, void> {
    const { ownerAssignments, candidates } = this.#options;
    if (this.#nodesChanged) {
      this.#nodesChanged = false;
      const nodes = candidates.describeNodes();
      // Addresses in use move only when the nodes have been the same for a while.
      if (nodes !== this.#nodes) {
        ownerAssignments.nodesChanged();
        this.#rebalanceLater();
      }
      this.#nodes = nodes;
      yield;
    }
    candidates.current();
    yield;
    const names = [...this.#changed];
    const even = this.#evenDue;
    const all = even || this.#allChanged;
    this.#changed.clear();
    this.#allChanged = false;
    this.#evenDue = false;
    const result = yield* all ? ownerAssignments.replanAll(even) : ownerAssignments.replan(names);
    // New addresses were placed by counts that did not include the moves.
    if (even && result.disturbed && result.toWrite.length > 0 && this.#cancelRebalance === undefined) {
      this.#rebalanceLater();
    }
    yield* this.#apply(result, even);
    if (even && this.#cancelRebalance === undefined) this.balancedNodes = digestOf(this.#nodes);
  }

  *#apply({ toWrite, announceabilityChanged, outdated }: ReplanResult, even: boolean): Generator<void, void> {
    const { virtualIps, changes, log } = this.#options;
    if (toWrite.length > 0) {
      this.#differed = true;
      log.info({ addresses: toWrite.length, even }, "owners change");
    }
    for (const name of outdated) this.claimChanged(name);
    for (const name of toWrite) {
      virtualIps.add(name);
      yield;
    }
    for (const claim of announceabilityChanged) {
      changes.announceabilityChanged(claim);
      yield;
    }
  }
}

/** Short, because it is part of an annotation; describes as many nodes as a cluster may have. */
function digestOf(nodes: string): string {
  return createHash("sha256").update(nodes).digest("base64url").slice(0, 16);
}
