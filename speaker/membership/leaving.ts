import type { EffectQueue } from "./effect-queue.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { OwnState } from "./own-state.ts";
import type { LeaveIntent } from "./stake.ts";

/** How many times the last heartbeat is sent to each peer, and the time between two, in ms. */
const lastHeartbeats = 3;
const lastHeartbeatMs = 20;

/** The end of this process, step by step. */
export class Leaving {
  readonly #own: OwnState;
  readonly #effects: EffectQueue;
  readonly #heartbeats: Heartbeats;
  #limitMs = Number.POSITIVE_INFINITY;
  #left = 0;
  #nextMs = Number.POSITIVE_INFINITY;
  #isDone = false;

  constructor(own: OwnState, effects: EffectQueue, heartbeats: Heartbeats) {
    this.#own = own;
    this.#effects = effects;
    this.#heartbeats = heartbeats;
  }

  get nextDueMs(): number {
    return Math.min(this.#limitMs, this.#nextMs);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  begin(intent: LeaveIntent): void {
    const own = this.#own;
    if (own.phase !== "running") return;
    if (intent === "restart") {
      own.phase = "restarting";
      this.#sayLast();
      return;
    }
    own.phase = "leaving";
    this.#limitMs = own.nowMs + own.timing.leaveLimitMs;
    this.#heartbeats.hurryAll();
  }

  /** `held`: how many addresses are announced. Returns whether everything is to be withdrawn now. */
  advance(held: number): boolean {
    const { phase, nowMs } = this.#own;
    if (phase === "leaving" && (held === 0 || nowMs >= this.#limitMs)) {
      this.#own.phase = "left";
      this.#limitMs = Number.POSITIVE_INFINITY;
      this.#sayLast();
      return true;
    }
    if (nowMs >= this.#nextMs) this.#repeat();
    return false;
  }

  #sayLast(): void {
    this.#left = lastHeartbeats;
    this.#repeat();
  }

  #repeat(): void {
    if (this.#left > 0) {
      this.#left -= 1;
      this.#heartbeats.hurryAll();
      this.#nextMs = this.#own.nowMs + lastHeartbeatMs;
      return;
    }
    this.#nextMs = Number.POSITIVE_INFINITY;
    this.#isDone = true;
    this.#effects.report({ kind: "leaveDone" });
  }
}
