import type { OwnState } from "./own-state.ts";

/** The time of turns: it never goes back, and shows when the thread did not run for a while. */
export class TurnClock {
  readonly #own: OwnState;
  /** What is added to the times that are passed. */
  #offsetMs = 0;
  /** When the last turn began. */
  #turnMs: number;
  /** When the next turn was due, at the end of the last one. */
  #expectedMs = Number.POSITIVE_INFINITY;

  constructor(own: OwnState) {
    this.#own = own;
    this.#turnMs = own.nowMs;
  }

  /** A clock that goes back continues where it was. */
  set(nowMs: number): void {
    const own = this.#own;
    const shownMs = nowMs + this.#offsetMs;
    if (shownMs < own.nowMs) this.#offsetMs += own.nowMs - shownMs;
    else own.nowMs = shownMs;
  }

  /** Returns whether the thread did not run for a while, although it should have. */
  beginTurn(): boolean {
    const { nowMs, timing } = this.#own;
    const gapMs = nowMs - this.#turnMs;
    const lateMs = nowMs - this.#expectedMs;
    this.#turnMs = nowMs;
    this.#own.isLate = lateMs > timing.lateMs;
    return gapMs > timing.stallMs && lateMs > timing.retryMs;
  }

  /** `dueMs`: when the next turn is due, by this clock. */
  endTurn(dueMs: number): void {
    this.#expectedMs = dueMs;
  }

  /** A time of this clock, by the clock of the times that are passed. */
  passedMs(ownMs: number): number {
    return ownMs - this.#offsetMs;
  }
}
