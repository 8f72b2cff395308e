import type { HeldClaim } from "./claim-order.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerView } from "./peer-view.ts";
import type { StakeState } from "./stake-state.ts";

/** How many conflicts are passed on in one turn. */
const maxRelays = 16;

/** Where several other nodes announce an address: tells those with the lower claims of the best one, whose holder they perhaps do not hear. */
export class ConflictRelay {
  readonly #own: OwnState;
  readonly #effects: EffectQueue;
  readonly #view: PeerView;
  #sent = 0;

  constructor(own: OwnState, effects: EffectQueue, view: PeerView) {
    this.#own = own;
    this.#effects = effects;
    this.#view = view;
  }

  beginTurn(): void {
    this.#sent = 0;
  }

  /** `others`: the claims of other nodes, the best one first. Returns when to call it again; Infinity: there is no conflict. */
  look(state: StakeState, others: readonly HeldClaim[]): number {
    const { nowMs, timing } = this.#own;
    const { address } = state.stake;
    const [best, ...rest] = others;
    if (best === undefined || rest.length === 0 || best === state.relayed || state.own !== undefined) {
      state.conflictMs = undefined;
      return Number.POSITIVE_INFINITY;
    }
    state.conflictMs ??= nowMs + 2 * timing.heartbeatMs;
    if (nowMs >= state.conflictMs && this.#sent < maxRelays) {
      this.#sent += 1;
      state.conflictMs = nowMs + timing.takeMs;
      for (const { holder } of rest) {
        if (this.#view.isHeard(holder)) this.#effects.send(holder, { kind: "conflict", address, ...best });
      }
    }
    return Math.max(state.conflictMs, nowMs + timing.retryMs);
  }
}
