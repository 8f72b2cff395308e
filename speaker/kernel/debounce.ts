/**
 * When to read after events: once they have paused, or a while after the first, and never so often that reading takes more than a tenth of the time. In
 * milliseconds; knows no clock.
 */
export class Debounce {
  readonly #quietMs: number;
  readonly #longestMs: number;
  #firstMs: number | undefined;
  #lastMs = 0;
  #earliestMs = 0;

  constructor(quietMs: number, longestMs: number) {
    this.#quietMs = quietMs;
    this.#longestMs = longestMs;
  }

  event(nowMs: number): void {
    this.#firstMs ??= nowMs;
    this.#lastMs = nowMs;
  }

  /** When it is time to read; undefined if nothing has happened. */
  get dueMs(): number | undefined {
    if (this.#firstMs === undefined) return undefined;
    return Math.max(this.#earliestMs, Math.min(this.#lastMs + this.#quietMs, this.#firstMs + this.#longestMs));
  }

  /** A reading begins: what happens from now on needs another. */
  begin(): void {
    this.#firstMs = undefined;
  }

  /** The next reading begins after `pauseMs` at the earliest. */
  end(nowMs: number, tookMs: number, pauseMs = 0): void {
    this.#earliestMs = nowMs + Math.max(10 * tookMs, pauseMs);
  }
}
