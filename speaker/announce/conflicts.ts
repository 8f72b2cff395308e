/** A device that claims an address that is also announced here. */
export interface Conflict {
  readonly address: string;
  /** Lower case, colons. */
  readonly mac: string;
  readonly interfaceName: string;
}

/** The frames by which one device claimed one address. */
interface Sighting {
  readonly conflict: Conflict;
  readonly firstMs: number;
  lastMs: number;
}

/**
 * A claim that ends sooner is a take-over and not a conflict: for a moment the speaker that withdraws the address and the one that takes
 * it over receive each other's announcements, the last of which comes 2 s after the first.
 */
const settleMs = 3_000;

/** Silence after which a claim is over: the ARP traffic of a device that uses an address shows it about once a minute. */
const forgetMs = 120_000;

/** Tells lasting conflicts from the echo of an address that moves. Keeps the newest sighting of each address. */
export class ConflictTracker {
  readonly #sightings = new Map<string, Sighting>();

  /** Another device claims the address. Returns whether this made it a lasting conflict. */
  observe(conflict: Conflict, nowMs: number): boolean {
    const known = this.#sightings.get(conflict.address);
    if (known === undefined || known.conflict.mac !== conflict.mac || nowMs - known.lastMs > forgetMs) {
      this.#sightings.set(conflict.address, { conflict, firstMs: nowMs, lastMs: nowMs });
      return false;
    }
    const before = isSettled(known);
    known.lastMs = nowMs;
    return !before && isSettled(known);
  }

  /** Drops what has fallen silent, and what is about addresses that are not announced here. Returns the addresses whose conflict ended. */
  expire(nowMs: number, announced: (address: string) => boolean): readonly string[] {
    const dropped: string[] = [];
    for (const [address, sighting] of this.#sightings) {
      if (nowMs - sighting.lastMs <= forgetMs && announced(address)) continue;
      this.#sightings.delete(address);
      if (isSettled(sighting)) dropped.push(address);
    }
    return dropped;
  }

  /** The lasting conflict about an address, if there is one. */
  conflictOf(address: string): Conflict | undefined {
    const sighting = this.#sightings.get(address);
    return sighting !== undefined && isSettled(sighting) ? sighting.conflict : undefined;
  }

  get count(): number {
    return [...this.#sightings.values()].filter(isSettled).length;
  }
}

function isSettled(sighting: Sighting): boolean {
  return sighting.lastMs - sighting.firstMs >= settleMs;
}
