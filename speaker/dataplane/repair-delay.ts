/**
 * The wait before a second repair within `calmMs`, and the longest; each is twice the one before. The node announces its addresses meanwhile, and
 * drops what arrives: a firewall that is reloaded each minute must not cost more than a second of it.
 */
const firstMs = 250;
const longestMs = 1_000;
/** After so long without a repair the next one is made at once again. */
const calmMs = 60_000;

/** How long to wait before a table is written again after another program changed it: not at all, unless it does so again and again. */
export class RepairDelay {
  #lastMs = Number.NEGATIVE_INFINITY;
  #waitMs = 0;

  /** In milliseconds; `nowMs` is monotonic. */
  nextMs(nowMs: number): number {
    this.#waitMs =
      nowMs - this.#lastMs > calmMs + this.#waitMs ? 0 : Math.min(longestMs, Math.max(firstMs, 2 * this.#waitMs));
    this.#lastMs = nowMs;
    return this.#waitMs;
  }
}
