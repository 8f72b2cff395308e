import type { Clock } from "./clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that moves only when the test advances it. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  #wallAheadMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallAheadMs + this.#nowMs;
  }

  /** Sets the wall clock forward, or back where negative, as NTP does; no time passes. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /**
   * Lets time pass in which nothing runs, as while the event loop is blocked: timers that expire meanwhile run late, at the next advance.
   */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Advances by `ms`, runs the timers that expire, in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
    await settle();
  }
}

/** The clock of a slow machine: each reading of the time takes `readMs`, so that work that checks how long it has run soon yields. */
export class SlowFakeClock extends FakeClock {
  readonly #readMs: number;

  constructor(readMs: number) {
    super();
    this.#readMs = readMs;
  }

  override monotonicMs(): number {
    this.stall(this.#readMs);
    return super.monotonicMs();
  }
}

/** Runs everything that waits only for promises and immediates. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
