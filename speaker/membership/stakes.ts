import type { Claim, ClaimEntry, Conflict } from "../../src/heartbeat/messages.ts";
import { compareTerms } from "./claim-order.ts";
import type { ClaimsExchange } from "./claims-exchange.ts";
import { ConflictRelay } from "./conflict-relay.ts";
import type { Decision } from "./decide.ts";
import { Decisions } from "./decisions.ts";
import type { EffectQueue } from "./effect-queue.ts";
import { Holdings } from "./holdings.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerView } from "./peer-view.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import type { MembershipStake } from "./stake.ts";
import { StakeState } from "./stake-state.ts";
import { Timers } from "./timers.ts";

export interface StakesParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly effects: EffectQueue;
  readonly received: ReceivedClaims;
  readonly view: PeerView;
  readonly exchange: ClaimsExchange;
}

/** The stakes of this node: which of them are to be looked at, and when. */
export class Stakes {
  readonly #parts: StakesParts;
  readonly #stakes = new Map<string, StakeState>();
  readonly #dirty = new Set<string>();
  /** Those that depend on the state of peers which do not announce them. */
  readonly #unsettled = new Set<string>();
  /** Those of which this node was not the first owner when it began to announce them, or of which it is not, and is about to. */
  readonly #beside = new Set<string>();
  readonly #timers = new Timers<string>();
  readonly #decisions: Decisions;
  readonly #holdings: Holdings;
  readonly #conflicts: ConflictRelay;
  /** How many have other owners, too. */
  #shared = 0;
  /** Claims of the process before this one, for stakes that are set later, and until when: other nodes take the addresses over then. */
  #resumed: ReadonlyMap<string, Claim> = new Map();
  #resumedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: StakesParts) {
    const { own, effects, received, view, exchange } = parts;
    this.#parts = parts;
    this.#decisions = new Decisions(own, received, view);
    this.#holdings = new Holdings(own, effects, view, exchange);
    this.#conflicts = new ConflictRelay(own, effects, view);
  }

  get nextDueMs(): number {
    return this.#dirty.size > 0 ? Number.NEGATIVE_INFINITY : this.#timers.nextMs;
  }

  get addresses(): Iterable<string> {
    return this.#stakes.keys();
  }

  /** How many addresses this node announces. */
  get held(): number {
    return this.#holdings.held;
  }

  /** Whether any stake has other owners, too. A node that only announced the address before is none. */
  get hasOtherOwners(): boolean {
    return this.#shared > 0;
  }

  set(stake: MembershipStake): void {
    const { own, received, exchange } = this.#parts;
    const before = this.#stakes.get(stake.address);
    this.#shared += this.#sharedBy(stake) - this.#sharedBy(before?.stake);
    const state = before ?? new StakeState(stake, own.nowMs);
    this.#stakes.set(stake.address, state);
    if (before === undefined && own.nowMs < this.#resumedUntilMs) state.resumed = this.#resumed.get(stake.address);
    if (before === undefined || state.replace(stake, own.nowMs)) {
      for (const holder of received.holdersOf(stake.address)) {
        const claim = received.claimOf(holder, stake.address);
        if (claim !== undefined) state.see(claim);
      }
    }
    const concerned = [
      ...new Set([...stake.owners, ...(stake.announcedBy === undefined ? [] : [stake.announcedBy])]),
    ].filter((node) => node !== own.node);
    exchange.setConcerned(stake.address, state.concerned, concerned, state.own !== undefined || state.passed);
    if (state.own !== undefined) {
      const former = new Set([...state.former, ...state.concerned]);
      state.former = [...former].filter((node) => !concerned.includes(node));
    }
    state.concerned = concerned;
    this.#dirty.add(stake.address);
  }

  /** See MembershipInputs. */
  resume(claims: ReadonlyMap<string, Claim>): void {
    const { own } = this.#parts;
    this.#resumed = claims;
    this.#resumedUntilMs = own.nowMs + own.timing.restartHoldMs;
    for (const [address, claim] of claims) {
      const state = this.#stakes.get(address);
      if (state !== undefined && state.own === undefined) state.resumed = claim;
    }
    this.lookAt(claims.keys());
  }

  remove(address: string): void {
    const state = this.#stakes.get(address);
    if (state === undefined) return;
    if (state.own !== undefined) this.#holdings.release(state, undefined);
    else if (state.passed) this.#holdings.tell(state);
    this.#stakes.delete(address);
    this.#shared -= this.#sharedBy(state.stake);
    this.#parts.exchange.setConcerned(address, state.concerned, [], false);
    this.#unsettled.delete(address);
    this.#beside.delete(address);
    this.#timers.delete(address);
    this.#dirty.delete(address);
  }

  #sharedBy(stake: MembershipStake | undefined): 0 | 1 {
    return stake?.owners.some((owner) => owner !== this.#parts.own.node) === true ? 1 : 0;
  }

  /** Decides again about these addresses at the end of the turn. */
  lookAt(addresses: Iterable<string>): void {
    for (const address of addresses) if (this.#stakes.has(address)) this.#dirty.add(address);
  }

  lookAtUnsettled(): void {
    for (const address of this.#unsettled) this.#dirty.add(address);
  }

  lookAtAll(): void {
    for (const address of this.#stakes.keys()) this.#dirty.add(address);
  }

  /** This node takes over addresses from now on. */
  joined(): void {
    this.#decisions.joined();
    this.lookAtAll();
  }

  /** The node has told something else about its claim to the address. */
  told(node: string, address: string): void {
    const state = this.#stakes.get(address);
    if (state === undefined) return;
    const claim = this.#parts.received.claimOf(node, address);
    if (claim !== undefined) {
      state.see(claim);
      const peer = this.#parts.peers.get(node);
      if (state.own !== undefined && peer !== undefined) this.#parts.exchange.tell(peer, address, state.concerned);
    }
    this.#dirty.add(address);
  }

  conflict({ address, holder, claim }: Conflict): void {
    const state = this.#stakes.get(address);
    if (state === undefined || holder === this.#parts.own.node) return;
    state.relayed = { holder, claim };
    state.see(claim);
    this.#dirty.add(address);
  }

  entryOf(address: string): ClaimEntry {
    const state = this.#stakes.get(address);
    if (state?.own !== undefined) return { state: "held", address, claim: state.own };
    return { state: state?.passed === true ? "passed" : "released", address };
  }

  /** Withdraws everything. */
  releaseAll(): void {
    for (const state of this.#stakes.values()) if (state.own !== undefined) this.#holdings.release(state, undefined);
    this.lookAtAll();
  }

  /** Decides about everything that has changed or is due. */
  flush(): void {
    const { own } = this.#parts;
    for (const address of this.#timers.takeAllDue(own.nowMs)) this.#dirty.add(address);
    this.#conflicts.beginTurn();
    for (const address of this.#dirty) {
      const state = this.#stakes.get(address);
      if (state !== undefined) this.#evaluate(state);
    }
    this.#dirty.clear();
    // Claims of the process before this one may still wait for their stakes.
    const isResuming = this.#resumed.size > 0 && own.nowMs < this.#resumedUntilMs;
    own.onlyAsFirst = this.#beside.size === 0 && !isResuming;
  }

  /** Notes whether this node announces the address, or is about to, although it is not the first owner. `wasHeld`: it did before it was decided. */
  #noteBeside(
    { stake: { address, owners }, own: claim, resumed }: StakeState,
    { kind }: Decision,
    wasHeld: boolean,
  ): void {
    const isHeld = claim !== undefined || resumed !== undefined;
    if (owners[0] !== this.#parts.own.node) {
      if (isHeld || kind === "wait" || kind === "pass") this.#beside.add(address);
      else this.#beside.delete(address);
    } else if (!isHeld || !wasHeld) this.#beside.delete(address);
    // Otherwise it perhaps comes first only in a new list, which other owners may not know yet.
  }

  #evaluate(state: StakeState): void {
    const { own, effects } = this.#parts;
    const { stake } = state;
    const { address } = stake;
    const others = this.#decisions.othersOf(state);
    const [other] = others;
    if (other !== undefined) state.lastHolder = other.holder;
    const isHolder = state.own !== undefined;
    const decision = this.#decisions.decide(state, other);
    this.#holdings.apply(state, decision, other);
    this.#noteBeside(state, decision, isHolder);
    const isOldClaim = decision.kind === "take" && compareTerms(decision.claim, stake) !== 0;
    if (decision.kind === "release" || (decision.kind === "take" && isHolder) || isOldClaim) {
      // Perhaps it is its turn again, it has to say that it cannot take it, or its new claim is too low, or from before a restart: of another list.
      this.#evaluate(state);
      return;
    }
    if (isHolder && state.own !== undefined && others.length !== state.rivals) effects.add({ kind: "repeat", address });
    state.rivals = others.length;
    const holder = state.own === undefined ? other?.holder : own.node;
    if (holder !== state.reportedHolder) {
      state.reportedHolder = holder;
      effects.report({ kind: "holder", address, holder });
    }
    // What this node does not do while it is paused it perhaps does afterwards. A holder that only others have told of is in no index of claims.
    const isCertain = !own.paused && state.relayed === undefined;
    const isSettled =
      decision.kind === "keep" && isCertain && (holder !== undefined || !stake.owners.includes(own.node));
    if (isSettled) this.#unsettled.delete(address);
    else this.#unsettled.add(address);
    this.#timers.set(address, decision.kind === "wait" ? decision.untilMs : Number.POSITIVE_INFINITY);
    this.#timers.setEarlier(address, this.#conflicts.look(state, others));
  }
}
