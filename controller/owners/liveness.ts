import type { SpeakerLeaseView } from "../../src/model/lease.ts";

interface Observation {
  readonly renewal: string;
  readonly durationMs: number;
  /** When we last observed a change, or since when we could have observed one; monotonic ms. */
  sinceMs: number;
  /** How long it may stay unchanged. */
  timeoutMs: number;
}

/**
 * If more than half of all speakers expire together, each has this many times its lease. A restart of all of them or a slow API server is
 * more likely than the death of so many nodes, and moving addresses breaks connections. The node lifecycle controller of Kubernetes slows
 * down in the same situation (--unhealthy-zone-threshold, 0.55).
 */
const massExpiryFactor = 4;
/** Fraction of a lease's duration. At least one renewal is missing then, two in a cluster of up to 200 nodes. */
const expiryFraction = 0.75;

/**
 * Which speakers are alive, by our own clock alone. A speaker expires when its lease has not changed for its whole duration while we could
 * have observed a change. Call `resetObservations` whenever changes may have been missed: each duration then starts again, so that an
 * outage of the API server or our own restart does not make a speaker look dead. Does no input or output.
 */
export class SpeakerLiveness {
  readonly #observations = new Map<string, Observation>();
  readonly #dead = new Set<string>();

  /** Nodes whose speaker is alive. */
  get live(): ReadonlySet<string> {
    return new Set([...this.#observations.keys()].filter((node) => !this.#dead.has(node)));
  }

  /**
   * `lease` undefined: it was deleted. An empty holder: the speaker has released it. Returns whether the speaker became alive or stopped
   * being alive.
   */
  observe(node: string, lease: SpeakerLeaseView | undefined, nowMs: number): boolean {
    const wasLive = this.#isLive(node);
    if (lease === undefined || lease.holder === "") {
      this.#observations.delete(node);
      this.#dead.delete(node);
    } else if (this.#observations.get(node)?.renewal !== lease.renewal) {
      this.#observations.set(node, {
        renewal: lease.renewal,
        durationMs: lease.durationMs,
        sinceMs: nowMs,
        timeoutMs: lease.durationMs,
      });
      this.#dead.delete(node);
    }
    return wasLive !== this.#isLive(node);
  }

  /** Renewals may have been missed. Speakers that are dead stay dead until they renew. */
  resetObservations(nowMs: number): void {
    for (const observation of this.#observations.values()) {
      observation.sinceMs = nowMs;
      observation.timeoutMs = observation.durationMs;
    }
  }

  /** Extends the timeouts of speakers that are about to expire, if they are more than half. Call it before `findExpired`. */
  extendTimeouts(nowMs: number): void {
    let alive = 0;
    const expiring: Observation[] = [];
    for (const [node, observation] of this.#observations) {
      if (this.#dead.has(node)) continue;
      alive++;
      if (nowMs - observation.sinceMs >= observation.durationMs * expiryFraction) expiring.push(observation);
    }
    if (alive <= 1 || expiring.length * 2 <= alive) return;
    for (const observation of expiring) observation.timeoutMs = observation.durationMs * massExpiryFactor;
  }

  /** Nodes whose lease has expired; confirm each by reading the lease before `markDead`. Changes nothing. */
  findExpired(nowMs: number): readonly string[] {
    return [...this.#observations]
      .filter(([node, { sinceMs, timeoutMs }]) => !this.#dead.has(node) && nowMs - sinceMs >= timeoutMs)
      .map(([node]) => node)
      .sort();
  }

  /** Returns whether the speaker was alive before. */
  markDead(node: string): boolean {
    const wasLive = this.#isLive(node);
    this.#dead.add(node);
    return wasLive;
  }

  #isLive(node: string): boolean {
    return this.#observations.has(node) && !this.#dead.has(node);
  }
}
