import type { Claim, ClaimEntry, Conflict } from "../../src/heartbeat/messages.ts";
import { compareClaims, compareTerms, type HeldClaim } from "./claim-order.ts";
import type { ClaimsExchange } from "./claims-exchange.ts";
import { ConflictRelay } from "./conflict-relay.ts";
import { type Decision, decide, type Eligibility } from "./decide.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { Cause } from "./effects.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerView } from "./peer-view.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import { isHealthyIn, type MembershipStake } from "./stake.ts";
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

/** The stakes of this node, and which of their addresses it announces. */
export class Stakes {
  readonly #parts: StakesParts;
  readonly #stakes = new Map<string, StakeState>();
  readonly #dirty = new Set<string>();
  /** Those that depend on the state of peers which do not announce them. */
  readonly #unsettled = new Set<string>();
  readonly #timers = new Timers<string>();
  readonly #conflicts: ConflictRelay;
  /** Claims of the process before this one, for stakes that are set later, and until when: other nodes take the addresses over then. */
  #resumed: ReadonlyMap<string, Claim> = new Map();
  #resumedUntilMs = Number.NEGATIVE_INFINITY;
  #held = 0;
  #joinedMs = 0;

  constructor(parts: StakesParts) {
    this.#parts = parts;
    this.#conflicts = new ConflictRelay(parts.own, parts.effects, parts.view);
  }

  get nextDueMs(): number {
    return this.#dirty.size > 0 ? Number.NEGATIVE_INFINITY : this.#timers.nextMs;
  }

  get addresses(): Iterable<string> {
    return this.#stakes.keys();
  }

  /** How many addresses this node announces. */
  get held(): number {
    return this.#held;
  }

  set(stake: MembershipStake): void {
    const { own, received, exchange } = this.#parts;
    const before = this.#stakes.get(stake.address);
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
    if (state.own !== undefined) this.#release(state, undefined);
    else if (state.passed) this.#tell(state);
    this.#stakes.delete(address);
    this.#parts.exchange.setConcerned(address, state.concerned, [], false);
    this.#unsettled.delete(address);
    this.#timers.delete(address);
    this.#dirty.delete(address);
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
    this.#joinedMs = this.#parts.own.nowMs;
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
    for (const state of this.#stakes.values()) if (state.own !== undefined) this.#release(state, undefined);
    this.lookAtAll();
  }

  /** Decides about everything that has changed or is due. */
  flush(): void {
    const { nowMs } = this.#parts.own;
    for (const address of this.#timers.takeAllDue(nowMs)) this.#dirty.add(address);
    this.#conflicts.beginTurn();
    for (const address of this.#dirty) {
      const state = this.#stakes.get(address);
      if (state !== undefined) this.#evaluate(state);
    }
    this.#dirty.clear();
  }

  #evaluate(state: StakeState): void {
    const { own, effects } = this.#parts;
    const { stake } = state;
    const { address } = stake;
    const others = this.#othersOf(state);
    const [other] = others;
    if (other !== undefined) state.lastHolder = other.holder;
    const isHolder = state.own !== undefined;
    const decision = this.#decide(state, other);
    this.#apply(state, decision, other);
    if (decision.kind === "release" || (decision.kind === "take" && isHolder)) {
      // Perhaps it is its turn again, it has to say that it cannot take it, or its new claim is too low.
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
    const isSettled = decision.kind === "keep" && (holder !== undefined || !stake.owners.includes(own.node));
    if (isSettled) this.#unsettled.delete(address);
    else this.#unsettled.add(address);
    this.#timers.set(address, decision.kind === "wait" ? decision.untilMs : Number.POSITIVE_INFINITY);
    this.#timers.setEarlier(address, this.#conflicts.look(state, others));
  }

  #decide(state: StakeState, other: HeldClaim | undefined): Decision {
    const { own, view } = this.#parts;
    const { stake } = state;
    const isHealthy = isHealthyIn(stake.family, own.health);
    const isAble = stake.armed && !own.isolated && own.phase !== "left";
    const isWilling = isAble && isHealthy && own.joined && !own.paused && own.phase === "running";
    const { resumed } = state;
    if (other !== undefined || (resumed !== undefined && compareTerms(resumed, stake) > 0)) state.resumed = undefined;
    else if (isWilling && state.own === undefined && resumed !== undefined) {
      return { kind: "take", claim: resumed, cause: "Start" };
    }
    return decide({
      node: own.node,
      stake,
      own: state.own,
      other,
      seenEpoch: state.seenEpoch,
      isKnown: state.isKnown,
      isAble,
      isWilling,
      sinceMs: state.own === undefined ? this.#openSinceMs(state) : state.movedMs,
      nowMs: own.nowMs,
      timing: own.timing,
      eligibility: (node): Eligibility => view.eligibility(node, stake),
      yields: (holder): Cause | undefined => view.yields(holder, stake),
      isHeard: (node): boolean => view.isHeard(node),
    });
  }

  /** From when on owners wait for better ones, while this node does not announce the address. */
  #openSinceMs({ stake, isSeen, vacantMs }: StakeState): number {
    const { own, view } = this.#parts;
    const sinceMs = Math.max(vacantMs ?? own.nowMs, this.#joinedMs);
    const { announcedBy, owners } = stake;
    // Where all owners have started again, they do not know what the others announced; the status of the VirtualIP does.
    const startedMs =
      isSeen || announcedBy === undefined || announcedBy !== owners[0] ? undefined : view.startedMs(announcedBy);
    return startedMs === undefined ? sinceMs : Math.max(sinceMs, startedMs) + own.timing.returnMs;
  }

  #apply(state: StakeState, decision: Decision, other: HeldClaim | undefined): void {
    const { own } = this.#parts;
    switch (decision.kind) {
      case "take":
        this.#take(state, decision.claim, decision.cause);
        break;
      case "release":
        this.#release(state, decision.to);
        break;
      case "pass":
        if (!state.passed) {
          state.passed = true;
          this.#tell(state);
        }
        break;
      case "keep":
        if (other !== undefined || state.own !== undefined) state.vacantMs = undefined;
        else state.vacantMs ??= own.nowMs;
        break;
      case "wait":
        state.vacantMs ??= own.nowMs;
        break;
    }
    if (decision.kind !== "pass" && state.passed && state.stake.armed) {
      state.passed = false;
      this.#tell(state);
    }
  }

  #take(state: StakeState, claim: Claim, cause: Cause | undefined): void {
    const { own, effects, view } = this.#parts;
    const { address } = state.stake;
    const renewed = state.own !== undefined;
    const vacancy =
      renewed || cause !== undefined
        ? undefined
        : view.vacancyAfter(state.lastHolder, state.stake, state.vacantMs ?? own.nowMs);
    state.own = claim;
    state.resumed = undefined;
    state.passed = false;
    state.see(claim);
    if (!renewed) {
      this.#held += 1;
      effects.add({ kind: "announce", address });
    }
    effects.report({
      kind: "holding",
      address,
      claim,
      cause: cause ?? vacancy?.cause ?? "Planned",
      renewed,
      from: renewed ? undefined : state.lastHolder,
      gapMs: vacancy?.gapMs ?? 0,
    });
    state.vacantMs = undefined;
    this.#tell(state);
  }

  #release(state: StakeState, to: string | undefined): void {
    const { effects } = this.#parts;
    const { address } = state.stake;
    state.own = undefined;
    state.vacantMs = undefined;
    this.#held -= 1;
    effects.add({ kind: "withdraw", address });
    effects.report({ kind: "released", address, to });
    this.#tell(state);
  }

  #tell({ stake, concerned, former }: StakeState): void {
    this.#parts.exchange.changed(stake.address, former.length === 0 ? concerned : [...concerned, ...former]);
  }

  /** The claims of other nodes that are alive, the best one first. */
  #othersOf(state: StakeState): readonly HeldClaim[] {
    const { received, view, own } = this.#parts;
    const { address } = state.stake;
    const others: HeldClaim[] = [];
    for (const holder of received.holdersOf(address)) {
      const claim = received.claimOf(holder, address);
      if (claim !== undefined && view.announces(holder)) others.push({ holder, claim });
    }
    const { relayed } = state;
    // What the holder says itself is newer than what others say about it.
    if (relayed !== undefined && (view.isHeard(relayed.holder) || view.isGone(relayed.holder)))
      state.relayed = undefined;
    else if (relayed !== undefined && !others.some(({ holder }) => holder === relayed.holder)) others.push(relayed);
    if (others.length > 1) others.sort((a, b) => compareClaims(b, a));
    return others.filter(({ holder }) => holder !== own.node);
  }
}
