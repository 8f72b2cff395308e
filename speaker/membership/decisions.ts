import { compareClaims, compareTerms, type HeldClaim } from "./claim-order.ts";
import { type Decision, decide, type Eligibility } from "./decide.ts";
import type { Cause } from "./effects.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerView } from "./peer-view.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import { isHealthyIn } from "./stake.ts";
import type { StakeState } from "./stake-state.ts";

/** Decides what this node does about an address: gathers what `decide` depends on from its stake, its own state and what is known of others. */
export class Decisions {
  readonly #own: OwnState;
  readonly #received: ReceivedClaims;
  readonly #view: PeerView;
  #joinedMs = 0;

  constructor(own: OwnState, received: ReceivedClaims, view: PeerView) {
    this.#own = own;
    this.#received = received;
    this.#view = view;
  }

  /** This node takes over addresses from now on. */
  joined(): void {
    this.#joinedMs = this.#own.nowMs;
  }

  /** The claims of other nodes that are alive, the best one first. One that only a third node has told of is among them. */
  othersOf(state: StakeState): readonly HeldClaim[] {
    const received = this.#received;
    const view = this.#view;
    const { address } = state.stake;
    const holder = state.relayed?.holder;
    // What the holder says itself is newer than what others say about it, but older if it is not heard.
    if (holder !== undefined && (view.hasTold(holder) || view.isLost(holder))) state.relayed = undefined;
    const { relayed } = state;
    const others: HeldClaim[] = relayed === undefined ? [] : [relayed];
    for (const node of received.holdersOf(address)) {
      const claim = received.claimOf(node, address);
      if (claim === undefined || node === relayed?.holder || !view.announces(node)) continue;
      // Where this node announces the address by a better claim, this makes no difference.
      if (state.own === undefined && view.hasLost(node, claim, state.stake)) continue;
      others.push({ holder: node, claim });
    }
    if (others.length > 1) others.sort((a, b) => compareClaims(b, a));
    return others.filter((other) => other.holder !== this.#own.node);
  }

  /** `other`: the best claim of another node. Forgets the claim of the process before this one where it no longer counts. */
  decide(state: StakeState, other: HeldClaim | undefined): Decision {
    const own = this.#own;
    const view = this.#view;
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
    const own = this.#own;
    const view = this.#view;
    const sinceMs = Math.max(vacantMs ?? own.nowMs, this.#joinedMs);
    const { announcedBy, owners } = stake;
    // Where all owners have started again, they do not know what the others announced; the status of the VirtualIP does.
    const startedMs =
      isSeen || announcedBy === undefined || announcedBy !== owners[0] ? undefined : view.startedMs(announcedBy);
    return startedMs === undefined ? sinceMs : Math.max(sinceMs, startedMs) + own.timing.returnMs;
  }
}
