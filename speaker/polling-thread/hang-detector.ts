export interface HangDetectorOptions {
  /** Changes while the thread lives, and only that has a meaning. */
  readonly count: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** A silence of this length is a hang. */
  readonly limitMs: number;
  /** How often it is looked at the latest. A look that comes later was late with the whole process, and not with the thread. */
  readonly longestLookMs: number;
}

/**
 * Says when another thread has hung for so long that the process must be restarted. Counts the silence that the thread which looks lived through
 * itself, so that a process that was frozen, or a machine that slept, is not taken for one that hangs.
 */
export class HangDetector {
  readonly #options: HangDetectorOptions;
  #seenCount: number;
  #lookedAtMs: number;
  #silentMs = 0;

  constructor(options: HangDetectorOptions) {
    this.#options = options;
    this.#seenCount = options.count();
    this.#lookedAtMs = options.now();
  }

  /** For how long the thread had been silent at the last look. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** Looks. Call it at least every `longestLookMs`. */
  hangs(): boolean {
    const { longestLookMs, limitMs } = this.#options;
    const count = this.#options.count();
    const now = this.#options.now();
    this.#silentMs = count === this.#seenCount ? this.#silentMs + Math.min(now - this.#lookedAtMs, longestLookMs) : 0;
    this.#seenCount = count;
    this.#lookedAtMs = now;
    return this.#silentMs >= limitMs;
  }
}
