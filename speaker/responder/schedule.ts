/** A priority queue by time, earliest first: a binary heap. The order of equal times is undefined. */
export class Schedule<Item> {
  readonly #entries: { readonly atMs: number; readonly item: Item }[] = [];

  /** When the next entry is due; Infinity: there is none. */
  get nextMs(): number {
    return this.#entries[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(atMs: number, item: Item): void {
    const entries = this.#entries;
    entries.push({ atMs, item });
    let child = entries.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (this.#at(parent) <= this.#at(child)) break;
      this.#swap(parent, child);
      child = parent;
    }
  }

  /** Removes and returns the earliest entry if it is due. */
  takeDue(nowMs: number): Item | undefined {
    const entries = this.#entries;
    const first = entries[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = entries.pop();
    if (entries.length > 0 && last !== undefined) {
      entries[0] = last;
      this.#sink();
    }
    return first.item;
  }

  #sink(): void {
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(parent) <= this.#at(smaller)) return;
      this.#swap(parent, smaller);
      parent = smaller;
    }
  }

  #at(index: number): number {
    return this.#entries[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(left: number, right: number): void {
    const entries = this.#entries;
    const [one, other] = [entries[left], entries[right]];
    if (one === undefined || other === undefined) return;
    entries[left] = other;
    entries[right] = one;
  }
}
