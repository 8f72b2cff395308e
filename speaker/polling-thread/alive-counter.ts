/** A number in shared memory that changes while a thread lives: that thread increments it, and others look. */
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
