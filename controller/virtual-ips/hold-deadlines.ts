import type { Clock } from "../../src/clock/clock.ts";

interface Deadline {
  readonly heldUntilMs: number;
  readonly dueMs: number;
}

/**
 * When holds end. A hold that this process has written ends by the monotonic clock, so that setting the wall clock does not change its
 * length. One that another process wrote, or whose time was changed since, ends by the wall clock: a monotonic clock does not outlive
 * its process.
 */
export class HoldDeadlines {
  readonly #clock: Clock;
  /** By VirtualIP. */
  readonly #deadlines = new Map<string, Deadline>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records a hold that was just written. `heldUntilMs`: what it says, in wall time; `holdMs`: how long it is to last. */
  begin(name: string, heldUntilMs: number, holdMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [other, { dueMs }] of this.#deadlines) {
      if (dueMs > nowMs) break;
      this.#deadlines.delete(other);
    }
    this.#deadlines.delete(name);
    this.#deadlines.set(name, { heldUntilMs, dueMs: nowMs + holdMs });
  }

  /** How long a hold still lasts, in ms; zero or less: it is over. `heldUntilMs`: what the object says, in wall time. */
  remainingMs(name: string, heldUntilMs: number): number {
    const own = this.#deadlines.get(name);
    return own?.heldUntilMs === heldUntilMs
      ? own.dueMs - this.#clock.monotonicMs()
      : heldUntilMs - this.#clock.wallMs();
  }
}
