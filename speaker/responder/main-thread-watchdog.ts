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

/** The responder looks at least every second; a look that comes later was late with the whole process, and not with the main thread. */
const longestLookMs = 1_500;

/**
 * The worker's side too: says when the main thread has hung for so long that the process must be restarted. Counts the silence that this
 * thread lived through itself, so that a process that was frozen, or a machine that slept, is not taken for one that hangs.
 */
export class HangDetector {
  readonly #counter: AliveCounter;
  readonly #now: () => number;
  readonly #limitMs: number;
  #seenCount: number;
  #lookedAtMs: number;
  #silentMs = 0;

  /** `now` in milliseconds, monotonic. */
  constructor(counter: AliveCounter, now: () => number, limitMs: number) {
    this.#counter = counter;
    this.#now = now;
    this.#limitMs = limitMs;
    this.#seenCount = counter.count();
    this.#lookedAtMs = now();
  }

  /** Call it at least every second. */
  hangs(): boolean {
    const count = this.#counter.count();
    const now = this.#now();
    this.#silentMs = count === this.#seenCount ? this.#silentMs + Math.min(now - this.#lookedAtMs, longestLookMs) : 0;
    this.#seenCount = count;
    this.#lookedAtMs = now;
    return this.#silentMs >= this.#limitMs;
  }
}
