import type { Clock } from "../../src/clock/clock.ts";

interface Deadline {
  readonly heldUntilMs: number;
  readonly dueMs: number;
}

/** How many others are checked with each hold that begins. With only one, those that are over could accumulate. */
const checkedAtOnce = 2;

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
    // Those that are not over go to the end: long holds may be in front of those that are over.
    let checked = 0;
    for (const [other, deadline] of this.#deadlines) {
      if (++checked > checkedAtOnce) break;
      this.#deadlines.delete(other);
      if (deadline.dueMs > nowMs) this.#deadlines.set(other, deadline);
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
