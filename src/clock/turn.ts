import type { Clock } from "./clock.ts";

/** How long work may keep the event loop in one turn. Several pieces of work share it, and each does one more step. */
export const turnMs = 8;

/**
 * The turn of the event loop that runs now. Work that may take long asks it after each step whether the turn has lasted long enough, and
 * goes on in the next one, so that timers, requests and their answers are not kept waiting. All work of a process shares one event
 * loop: use `turnOf`.
 */
export class Turn {
  readonly #clock: Clock;
  #startedMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether work has kept the event loop for `turnMs` in this turn. */
  get over(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#startedMs === undefined) {
      this.#startedMs = nowMs;
      setImmediate(() => {
        this.#startedMs = undefined;
      });
    }
    return nowMs - this.#startedMs >= turnMs;
  }

  /** Resolves in the next turn, after what is due by then has run. */
  next(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

const turns = new WeakMap<Clock, Turn>();

/** The turn of everybody who works by this clock. */
export function turnOf(clock: Clock): Turn {
  let turn = turns.get(clock);
  if (turn === undefined) {
    turn = new Turn(clock);
    turns.set(clock, turn);
  }
  return turn;
}

/**
 * Runs the steps until they end, in as many turns of the event loop as that takes; within one turn if they are quick. Stops before the next
 * turn, and returns undefined, where `goesOn` says no: its owner has stopped meanwhile.
 */
export async function runInTurns<Result>(
  turn: Turn,
  steps: Generator<void, Result>,
  goesOn: () => boolean,
): Promise<Result | undefined> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (!turn.over) continue;
    await turn.next();
    if (!goesOn()) return undefined;
  }
}

/** Runs all steps at once. */
export function runAtOnce<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
