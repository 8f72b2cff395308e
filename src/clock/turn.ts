import type { Clock } from "./clock.ts";

/** How long work may keep the event loop in one turn. All work shares this time, and may exceed it by one step each. */
export const turnMs = 8;

/**
 * The current turn of the event loop. Long work checks after each step whether the turn has lasted long enough, and then continues in the
 * next one, so that timers, requests and their answers are not delayed. All work of a process shares one event loop: use `turnOf`.
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

  /** Resolves in the next turn, after expired timers have run. */
  next(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

const turns = new WeakMap<Clock, Turn>();

/** The turn that all work with this clock shares. */
export function turnOf(clock: Clock): Turn {
  let turn = turns.get(clock);
  if (turn === undefined) {
    turn = new Turn(clock);
    turns.set(clock, turn);
  }
  return turn;
}

/**
 * Runs the steps until they end, in as many turns of the event loop as that takes; within one turn if they are quick. Before each
 * further turn it calls `continues`, and returns undefined if that is false because the caller has stopped meanwhile.
 */
export async function runInTurns<Result>(
  turn: Turn,
  steps: Generator<void, Result>,
  continues: () => boolean,
): Promise<Result | undefined> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (!turn.over) continue;
    await turn.next();
    if (!continues()) return undefined;
  }
}

/** Runs all steps at once. */
export function runAtOnce<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
