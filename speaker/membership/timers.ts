interface Entry<Key> {
  readonly atMs: number;
  readonly key: Key;
}

/** One point in time per key, and which are due: a binary heap. An entry that was moved or removed stays in it until its time. */
export class Timers<Key> {
  readonly #due = new Map<Key, number>();
  readonly #heap: Entry<Key>[] = [];

  /** Sets the time of the key, in place of an earlier one; Infinity: removes it. */
  set(key: Key, atMs: number): void {
    if (this.#due.get(key) === atMs) return;
    if (atMs === Number.POSITIVE_INFINITY) {
      this.#due.delete(key);
      return;
    }
    this.#due.set(key, atMs);
    this.#push({ atMs, key });
  }

  /** Sets the time of the key unless it has an earlier one. */
  setEarlier(key: Key, atMs: number): void {
    if (atMs < (this.#due.get(key) ?? Number.POSITIVE_INFINITY)) this.set(key, atMs);
  }

  has(key: Key): boolean {
    return this.#due.has(key);
  }

  delete(key: Key): void {
    this.#due.delete(key);
  }

  /** When the next key is due; Infinity: there is none. */
  get nextMs(): number {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#due.get(first.key) === first.atMs) return first.atMs;
      this.#pop();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Removes and returns the keys that are due, including those that become due meanwhile. */
  *takeAllDue(nowMs: number): Iterable<Key> {
    while (this.nextMs <= nowMs) {
      const first = this.#pop();
      if (first === undefined) return;
      this.#due.delete(first.key);
      yield first.key;
    }
  }

  #push(entry: Entry<Key>): void {
    const heap = this.#heap;
    let child = heap.length;
    heap.push(entry);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= entry.atMs) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = entry;
  }

  #pop(): Entry<Key> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let parent = 0;
    for (;;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const smaller = this.#at(right) < this.#at(left) ? right : left;
      const below = heap[smaller];
      if (below === undefined || below.atMs >= last.atMs) break;
      heap[parent] = below;
      parent = smaller;
    }
    heap[parent] = last;
    return first;
  }

  #at(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }
}
