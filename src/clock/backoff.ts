import type { Random } from "./clock.ts";

/**
 * Waiting times that double from `baseMs` to `maxMs`, each drawn between half and the whole of its step, so that many clients
 * that failed at the same time do not retry at the same time.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: Random;
  #failures = 0;

  constructor(baseMs: number, maxMs: number, random: Random) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** How long to wait after another failure. */
  nextMs(): number {
    const stepMs = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return stepMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
