/** A station that claims an address besides us. */
export interface Conflict {
  readonly address: string;
  /** Lower case, colons. */
  readonly mac: string;
  readonly interfaceName: string;
}

interface Claim {
  readonly conflict: Conflict;
  readonly firstMs: number;
  lastMs: number;
}

/**
 * A claim that is over sooner is a take-over and no conflict: for a moment the speaker that lets go and the one that takes over
 * hear one another's announcements, the last of which comes 2 s after the first.
 */
const settleMs = 3_000;

/** Silence after which a claim is over: an honest holder of an address is heard by its own ARP traffic each minute or so. */
const forgetMs = 120_000;

/** Tells conflicts that last from the echo of an address that moves. Keeps the newest claim of each address. */
export class ConflictTracker {
  readonly #claims = new Map<string, Claim>();

  /** Another station was heard claiming the address. Returns whether it thereby became a conflict. */
  observe(conflict: Conflict, nowMs: number): boolean {
    const known = this.#claims.get(conflict.address);
    if (known === undefined || known.conflict.mac !== conflict.mac || nowMs - known.lastMs > forgetMs) {
      this.#claims.set(conflict.address, { conflict, firstMs: nowMs, lastMs: nowMs });
      return false;
    }
    const before = isSettled(known);
    known.lastMs = nowMs;
    return !before && isSettled(known);
  }

  /** Drops what has fallen silent, and what is about addresses that are not announced here. Returns the addresses dropped. */
  expire(nowMs: number, announced: (address: string) => boolean): readonly string[] {
    const dropped: string[] = [];
    for (const [address, claim] of this.#claims) {
      if (nowMs - claim.lastMs <= forgetMs && announced(address)) continue;
      this.#claims.delete(address);
      if (isSettled(claim)) dropped.push(address);
    }
    return dropped;
  }

  /** The lasting conflict about an address, if there is one. */
  conflictOf(address: string): Conflict | undefined {
    const claim = this.#claims.get(address);
    return claim !== undefined && isSettled(claim) ? claim.conflict : undefined;
  }

  get count(): number {
    return [...this.#claims.values()].filter(isSettled).length;
  }
}

function isSettled(claim: Claim): boolean {
  return claim.lastMs - claim.firstMs >= settleMs;
}
