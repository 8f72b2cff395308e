import type { ConflictPolicy } from "../../src/settings/speaker-settings.ts";

/** At most one announcement in this time defends an address (DEFEND_INTERVAL of RFC 5227 section 1.1). */
export const defendIntervalMs = 10_000;

/**
 * Frames this soon after a defence were sent before the other device has received it, as the second form of one gratuitous ARP.
 */
export const graceMs = 500;

/** What to do about a frame by which another device claims an address that is announced here. */
export type Defence = "announce" | "withdraw" | "nothing";

/**
 * RFC 5227 section 2.4: `defend` is its (c), one announcement in ten seconds for as long as the conflict lasts. `yield` is (b): one
 * announcement, and withdrawal if the other device claims the address again within ten seconds.
 */
export class ConflictDefence {
  readonly #policy: ConflictPolicy;
  /** By address: when it was defended last. */
  readonly #defendedAtMs = new Map<string, number>();

  constructor(policy: ConflictPolicy) {
    this.#policy = policy;
  }

  observe(text: string, nowMs: number): Defence {
    const sinceMs = nowMs - (this.#defendedAtMs.get(text) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= defendIntervalMs) {
      this.#defendedAtMs.set(text, nowMs);
      return "announce";
    }
    return this.#policy === "yield" && sinceMs >= graceMs ? "withdraw" : "nothing";
  }

  /** The address is no longer announced. */
  forget(text: string): void {
    this.#defendedAtMs.delete(text);
  }
}
