import type { Claim } from "../../src/heartbeat/messages.ts";
import type { HeldClaim } from "./claim-order.ts";
import type { ClaimsExchange } from "./claims-exchange.ts";
import type { Decision } from "./decide.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { Cause } from "./effects.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerView } from "./peer-view.ts";
import type { StakeState } from "./stake-state.ts";

/** Does what is decided: announces and withdraws addresses, and tells the nodes that a claim concerns. */
export class Holdings {
  readonly #own: OwnState;
  readonly #effects: EffectQueue;
  readonly #view: PeerView;
  readonly #exchange: ClaimsExchange;
  #held = 0;

  constructor(own: OwnState, effects: EffectQueue, view: PeerView, exchange: ClaimsExchange) {
    this.#own = own;
    this.#effects = effects;
    this.#view = view;
    this.#exchange = exchange;
  }

  /** How many addresses this node announces. */
  get held(): number {
    return this.#held;
  }

  /** `other`: the best claim of another node. */
  apply(state: StakeState, decision: Decision, other: HeldClaim | undefined): void {
    const { nowMs } = this.#own;
    switch (decision.kind) {
      case "take":
        this.#take(state, decision.claim, decision.cause);
        break;
      case "release":
        this.release(state, decision.to);
        break;
      case "pass":
        if (!state.passed) {
          state.passed = true;
          this.tell(state);
        }
        break;
      case "keep":
        if (other !== undefined || state.own !== undefined) state.vacantMs = undefined;
        else state.vacantMs ??= nowMs;
        break;
      case "wait":
        state.vacantMs ??= nowMs;
        break;
    }
    if (decision.kind !== "pass" && state.passed && state.stake.armed) {
      state.passed = false;
      this.tell(state);
    }
  }

  /** Withdraws the address. `to`: the node that announces it from now on, if that is known. */
  release(state: StakeState, to: string | undefined): void {
    const effects = this.#effects;
    const { address } = state.stake;
    state.own = undefined;
    state.vacantMs = undefined;
    this.#held -= 1;
    effects.add({ kind: "withdraw", address });
    effects.report({ kind: "released", address, to });
    this.tell(state);
  }

  /** The nodes that the stake concerns are to learn what this node does about it. */
  tell({ stake, concerned, former }: StakeState): void {
    this.#exchange.changed(stake.address, former.length === 0 ? concerned : [...concerned, ...former]);
  }

  #take(state: StakeState, claim: Claim, cause: Cause | undefined): void {
    const effects = this.#effects;
    const { address } = state.stake;
    const renewed = state.own !== undefined;
    const vacancy =
      renewed || cause !== undefined
        ? undefined
        : this.#view.vacancyAfter(state.lastHolder, state.stake, state.vacantMs ?? this.#own.nowMs);
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
    this.tell(state);
  }
}
