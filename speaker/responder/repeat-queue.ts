/**
 * How many addresses a node repeats in a second at most, each by up to two frames. Every host of the LAN receives these
 * broadcasts for as long as the addresses exist, and a Wi-Fi network sends them at its lowest rate.
 */
export const maxRepeatsPerSecond = 25;

const spacingMs = 1000 / maxRepeatsPerSecond;

/**
 * The repeated announcements that are due, first come first served, at a limited rate: with many addresses each of them waits longer
 * for its turn. Does nothing by itself.
 */
export class RepeatQueue<Item> {
  readonly #waiting = new Set<Item>();
  #nextTurnMs = Number.NEGATIVE_INFINITY;

  /** When the next one may be taken; Infinity: none waits. */
  get nextMs(): number {
    return this.#waiting.size === 0 ? Number.POSITIVE_INFINITY : this.#nextTurnMs;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(item: Item): void {
    this.#waiting.add(item);
  }

  delete(item: Item): void {
    this.#waiting.delete(item);
  }

  /** Removes and returns the one whose turn it is; undefined: none, or not yet. */
  take(nowMs: number): Item | undefined {
    if (nowMs < this.#nextTurnMs) return undefined;
    for (const item of this.#waiting) {
      this.#waiting.delete(item);
      this.#nextTurnMs = nowMs + spacingMs;
      return item;
    }
    return undefined;
  }
}
