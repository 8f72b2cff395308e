import type { Clock } from "../../src/clock/clock.ts";

interface Deadline {
  readonly heldUntilMs: number;
  readonly dueMs: number;
}

/**
 * When holds end. One that this process has written ends by its monotonic clock, so that setting the wall clock neither cuts nor
 * lengthens it; one that another process wrote, or whose time somebody has changed since, when the wall clock says so, as nothing
 * else outlives a process.
 */
export class HoldDeadlines {
  readonly #clock: Clock;
  /** By VirtualIP. */
  readonly #deadlines = new Map<string, Deadline>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A hold begins that says `heldUntilMs`, in wall time, and is to last `holdMs`. */
  begin(name: string, heldUntilMs: number, holdMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [other, { dueMs }] of this.#deadlines) {
      if (dueMs > nowMs) break;
      this.#deadlines.delete(other);
    }
    this.#deadlines.delete(name);
    this.#deadlines.set(name, { heldUntilMs, dueMs: nowMs + holdMs });
  }

  /** How long the hold that says `heldUntilMs` still lasts; not positive: it is over. */
  remainingMs(name: string, heldUntilMs: number): number {
    const own = this.#deadlines.get(name);
    return own?.heldUntilMs === heldUntilMs
      ? own.dueMs - this.#clock.monotonicMs()
      : heldUntilMs - this.#clock.wallMs();
  }
}
