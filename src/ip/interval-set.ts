import type { IpRange } from "./range.ts";

interface Interval {
  first: bigint;
  last: bigint;
}

/**
 * A set of addresses of one family, as sorted intervals that are neither overlapping nor adjacent: its cost grows with the number of
 * gaps, not of addresses. Looking up a value is logarithmic.
 */
export class IntervalSet {
  readonly #intervals: Interval[] = [];
  #size = 0n;

  /** How many values it has. */
  get size(): bigint {
    return this.#size;
  }

  /** In ascending order. */
  *intervals(): Generator<{ readonly first: bigint; readonly last: bigint }> {
    yield* this.#intervals;
  }

  has(value: bigint): boolean {
    const interval = this.#intervals[this.#indexBelow(value)];
    return interval !== undefined && value <= interval.last;
  }

  /** Adds all values of the range. */
  addRange({ first, last }: Pick<IpRange, "first" | "last">): void {
    let from = this.#indexBelow(first);
    const below = this.#intervals[from];
    if (below === undefined || below.last + 1n < first) from++;
    let to = from;
    const merged = { first, last };
    for (;;) {
      const next = this.#intervals[to];
      if (next === undefined || next.first > last + 1n) break;
      if (next.first < merged.first) merged.first = next.first;
      if (next.last > merged.last) merged.last = next.last;
      this.#size -= next.last - next.first + 1n;
      to++;
    }
    this.#intervals.splice(from, to - from, merged);
    this.#size += merged.last - merged.first + 1n;
  }

  add(value: bigint): void {
    this.addRange({ first: value, last: value });
  }

  /** Returns whether the value was in the set. */
  remove(value: bigint): boolean {
    const index = this.#indexBelow(value);
    const interval = this.#intervals[index];
    if (interval === undefined || value > interval.last) return false;
    this.#size--;
    const left = { first: interval.first, last: value - 1n };
    const right = { first: value + 1n, last: interval.last };
    this.#intervals.splice(index, 1, ...[left, right].filter((part) => part.first <= part.last));
    return true;
  }

  /** Index of the last interval that starts at or below the value; -1: none does. */
  #indexBelow(value: bigint): number {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#intervals[middle] as Interval).first <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
