import type { Clock } from "../clock/clock.ts";
import type { Queue } from "./queue.ts";

/** This many writes to one object within the window are normal; more are taken for two programs that overwrite each other. */
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
 * Slows down writes to the same object. Two controllers that both believe they lead, one of which is behind, would otherwise overwrite
 * each other's status as fast as the API server accepts it, until that one has caught up.
 */
export class WriteRateLimiter {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #writes = new Map<string, Writes>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call it after each write to the object. */
  recordWrite(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [oldest, { sinceMs }] of this.#writes) {
      if (nowMs - sinceMs < windowMs) break;
      this.#writes.delete(oldest);
    }
    const { count, sinceMs } = this.#writes.get(key) ?? { count: 0, sinceMs: nowMs };
    this.#writes.set(key, { count: count + 1, sinceMs });
  }

  /** How long the next work on the object must wait. */
  #waitMs(key: string): number {
    const writes = this.#writes.get(key);
    if (writes === undefined || this.#clock.monotonicMs() - writes.sinceMs >= windowMs) return 0;
    if (writes.count < freeWrites) return 0;
    return Math.min(longestWaitMs, firstWaitMs * 2 ** (writes.count - freeWrites));
  }

  /** Adds the key to the queue: now, or a little later if its object was written to very often. */
  add(queue: Queue<string>, key: string): void {
    const waitMs = this.#waitMs(key);
    if (waitMs > 0) queue.addAfter(key, waitMs);
    else queue.add(key);
  }
}
