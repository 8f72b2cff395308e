/** The main thread's side: a number in shared memory that must change from time to time. */
export class AliveCounter {
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
  }

  increment(): void {
    Atomics.add(this.#cells, 0, 1);
  }

  /** Wraps at 2^32: only that it changes has a meaning. */
  count(): number {
    return Atomics.load(this.#cells, 0);
  }
}

/**
 * The worker's side: says whether the main thread is still there. A stalled main thread must not stop the answers, but a node
 * whose main thread is gone for good must not hold its addresses against the node that takes them over.
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
