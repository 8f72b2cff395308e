import type { Clock } from "../clock/clock.ts";
import type { Queue } from "./queue.ts";

/** So many writes to one object within the window are taken for work; more are taken for two that write against one another. */
const freeWrites = 6;
const windowMs = 10_000;
/** The first wait; it doubles with each write. */
const firstWaitMs = 100;
const longestWaitMs = 5_000;

interface Writes {
  readonly count: number;
  readonly sinceMs: number;
}

/**
 * Slows down who writes to the same object again and again. Two controllers that both believe they lead, of which one is
 * behind, would else answer each other's status as fast as the API server takes it, until the one has caught up.
 */
export class WriteRateLimiter {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #writes = new Map<string, Writes>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The object was written to just now. */
  recordWrite(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [oldest, { sinceMs }] of this.#writes) {
      if (nowMs - sinceMs < windowMs) break;
      this.#writes.delete(oldest);
    }
    const { count, sinceMs } = this.#writes.get(key) ?? { count: 0, sinceMs: nowMs };
    this.#writes.set(key, { count: count + 1, sinceMs });
  }

  /** How long the next work on the object is to wait. */
  #waitMs(key: string): number {
    const writes = this.#writes.get(key);
    if (writes === undefined || this.#clock.monotonicMs() - writes.sinceMs >= windowMs) return 0;
    if (writes.count < freeWrites) return 0;
    return Math.min(longestWaitMs, firstWaitMs * 2 ** (writes.count - freeWrites));
  }

  /** Puts the key into the queue: now, or a little later when it has been written to very often. */
  add(queue: Queue<string>, key: string): void {
    const waitMs = this.#waitMs(key);
    if (waitMs > 0) queue.addAfter(key, waitMs);
    else queue.add(key);
  }
}
