/** The main thread's side: a number in shared memory that must change now and then. */
export class AliveCounter {
  readonly shared: SharedArrayBuffer;
  readonly #beats: Int32Array;

  constructor(shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#beats = new Int32Array(shared);
  }

  increment(): void {
    Atomics.add(this.#beats, 0, 1);
  }

  /** Wraps at 2^32: only that it changes has a meaning. */
  count(): number {
    return Atomics.load(this.#beats, 0);
  }
}

/**
 * The worker's side: says whether the main thread is still there. A stalled main thread must not stop the answers, but a node
 * whose main thread is gone for good would hold its addresses against whoever takes them over.
 */
export class MainThreadWatchdog {
  readonly #heartbeat: AliveCounter;
  readonly #now: () => number;
  readonly #limitMs: number;
  #seenCount: number;
  #seenAtMs: number;

  /** `now` in milliseconds, monotonic. */
  constructor(heartbeat: AliveCounter, now: () => number, limitMs: number) {
    this.#heartbeat = heartbeat;
    this.#now = now;
    this.#limitMs = limitMs;
    this.#seenCount = heartbeat.count();
    this.#seenAtMs = now();
  }

  alive(): boolean {
    const count = this.#heartbeat.count();
    const now = this.#now();
    if (count !== this.#seenCount) {
      this.#seenCount = count;
      this.#seenAtMs = now;
    }
    return now - this.#seenAtMs < this.#limitMs;
  }
}
