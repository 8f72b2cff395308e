import type { EffectQueue } from "./effect-queue.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { Joining } from "./joining.ts";
import type { Liveness } from "./liveness.ts";
import type { OwnState } from "./own-state.ts";
import type { Stakes } from "./stakes.ts";

export interface IsolationParts {
  readonly own: OwnState;
  readonly effects: EffectQueue;
  readonly heartbeats: Heartbeats;
  readonly liveness: Liveness;
  readonly stakes: Stakes;
  readonly joining: Joining;
}

/** The time in which this node is cut off: it announces nothing, says so, and begins again with listening once it is connected. */
export class Isolation {
  readonly #parts: IsolationParts;
  /** While isolated: this node hears others, and is not heard. */
  #isUnheard = false;

  constructor(parts: IsolationParts) {
    this.#parts = parts;
  }

  /** This node hears nothing at all, or (`unheard`) no node hears it. */
  begin(unheard: boolean): void {
    const { own, effects, heartbeats, stakes } = this.#parts;
    this.#isUnheard = unheard;
    own.isolated = true;
    own.joined = false;
    effects.report({ kind: "isolated" });
    heartbeats.hurryAll();
    stakes.lookAtAll();
  }

  /** A frame of a device that is not a peer arrived. It does not show that this node is heard. */
  lanHeard(): void {
    this.#parts.joining.heard();
    if (!this.#isUnheard) this.connected();
  }

  /** Something was heard: this node is not cut off. */
  connected(): void {
    const { own, joining } = this.#parts;
    joining.heard();
    if (own.isolated) own.reconnectedMs = own.nowMs;
    this.end();
  }

  /** Being cut off no longer matters, even if nothing was heard. */
  end(): void {
    const { own, effects, heartbeats, liveness, stakes, joining } = this.#parts;
    if (!own.isolated) return;
    own.isolated = false;
    this.#isUnheard = false;
    effects.report({ kind: "connected" });
    joining.begin();
    liveness.grantGrace();
    heartbeats.hurryAll();
    stakes.lookAtAll();
  }
}
