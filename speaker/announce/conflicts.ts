/** Another device that answers for an address that is announced here. */
export interface Conflict {
  readonly address: string;
  /** Lower case, colons. */
  readonly mac: string;
  readonly interfaceName: string;
  /** The node that has the MAC address, if it is one of the cluster. */
  readonly node?: string | undefined;
  /** Whether the device had the address before a speaker announced it first. */
  readonly hadBefore?: boolean;
}

/** The frames by which one device answered for one address. */
interface Observation {
  readonly conflict: Conflict;
  readonly firstMs: number;
  lastMs: number;
}

/**
 * Frames that end sooner are from a takeover and not a conflict: for a moment the speaker that withdraws the address and the one that takes
 * it over receive each other's announcements, the last of which comes 2 s after the first.
 */
const settleMs = 3_000;

/** Silence after which a conflict is over: a device that uses an address sends ARP packets with it about once a minute. */
const forgetMs = 120_000;

/** Distinguishes lasting conflicts from the frames of a takeover. Keeps one observation of each address, of the last device. */
export class ConflictTracker {
  readonly #observations = new Map<string, Observation>();

  /** Call it when another device answers for the address. Returns whether this makes it a lasting conflict. */
  observe(conflict: Conflict, nowMs: number): boolean {
    const known = this.#observations.get(conflict.address);
    if (known === undefined || known.conflict.mac !== conflict.mac || nowMs - known.lastMs > forgetMs) {
      this.#observations.set(conflict.address, { conflict, firstMs: nowMs, lastMs: nowMs });
      return false;
    }
    const before = isSettled(known);
    known.lastMs = nowMs;
    return !before && isSettled(known);
  }

  /**
   * Forgets devices that have fallen silent, and addresses that are no longer announced here. Returns the addresses whose conflict ended.
   */
  expire(nowMs: number, announced: (address: string) => boolean): readonly string[] {
    const dropped: string[] = [];
    for (const [address, observation] of this.#observations) {
      if (nowMs - observation.lastMs <= forgetMs && announced(address)) continue;
      this.#observations.delete(address);
      if (isSettled(observation)) dropped.push(address);
    }
    return dropped;
  }

  /** The lasting conflict of an address, if there is one. */
  conflictOf(address: string): Conflict | undefined {
    const observation = this.#observations.get(address);
    return observation !== undefined && isSettled(observation) ? observation.conflict : undefined;
  }

  get count(): number {
    return [...this.#observations.values()].filter(isSettled).length;
  }
}

function isSettled(observation: Observation): boolean {
  return observation.lastMs - observation.firstMs >= settleMs;
}
