import type { AliveCounter } from "../polling-thread/alive-counter.ts";

/**
 * The worker's side: says whether the main thread is still there. A stalled main thread must not stop the answers, but a node
 * whose main thread has ended must not keep its addresses from the node that takes them over.
 */
export class MainThreadWatchdog {
  readonly #counter: AliveCounter;
  readonly #now: () => number;
  readonly #limitMs: number;
  #seenCount: number;
  #seenAtMs: number;

  /** `now` in milliseconds, monotonic. */
  constructor(counter: AliveCounter, now: () => number, limitMs: number) {
    this.#counter = counter;
    this.#now = now;
    this.#limitMs = limitMs;
    this.#seenCount = counter.count();
    this.#seenAtMs = now();
  }

  alive(): boolean {
    const count = this.#counter.count();
    const now = this.#now();
    if (count !== this.#seenCount) {
      this.#seenCount = count;
      this.#seenAtMs = now;
    }
    return now - this.#seenAtMs < this.#limitMs;
  }
}
