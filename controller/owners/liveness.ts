import type { SpeakerLeaseView } from "../../src/model/lease.ts";

interface Observation {
  readonly renewal: string;
  readonly durationMs: number;
  /** When we last saw it change, or from when on we could have. */
  sinceMs: number;
  /** How long it may be silent. */
  timeoutMs: number;
}

/**
 * Where more than half of all speakers fall silent together, each may be silent this many times as long. That is rather a restart of
 * all of them or a slow API server than the death of as many nodes, and addresses that move break connections. Kubernetes' node
 * lifecycle controller slows down likewise (--unhealthy-zone-threshold, 0.55).
 */
const massExpiryFactor = 4;
/** Of a lease's duration; by then two renewals are missing. */
const expiryFraction = 0.75;

/**
 * Which speakers are alive, judged by our own clock alone: a lease that has not changed for its whole duration *while we would
 * have heard of it*. Whatever breaks our hearing must be told by `deafened`: then every grace starts anew, so that an outage of
 * the API server or a restart of ours makes nobody look dead. Does no input or output.
 */
export class SpeakerLiveness {
  readonly #observations = new Map<string, Observation>();
  readonly #dead = new Set<string>();

  /** Nodes whose speaker is alive. */
  get live(): ReadonlySet<string> {
    return new Set([...this.#observations.keys()].filter((node) => !this.#dead.has(node)));
  }

  /** A lease as heard now; undefined: it is gone. An empty holder is a good-bye. Gives whether somebody came or went. */
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

  /** We may have missed renewals. Those who were dead before stay dead until they renew. */
  resetObservations(nowMs: number): void {
    for (const observation of this.#observations.values()) {
      observation.sinceMs = nowMs;
      observation.timeoutMs = observation.durationMs;
    }
  }

  /** Nodes whose lease has run out; to be confirmed by a direct read before they are buried. */
  findExpired(nowMs: number): readonly string[] {
    const alive = [...this.#observations].filter(([node]) => !this.#dead.has(node));
    const expired = alive.filter(([, { sinceMs, durationMs }]) => nowMs - sinceMs >= durationMs * expiryFraction);
    if (alive.length > 1 && expired.length * 2 > alive.length) {
      for (const [, observation] of expired) observation.timeoutMs = observation.durationMs * massExpiryFactor;
    }
    return expired
      .filter(([, { sinceMs, timeoutMs }]) => nowMs - sinceMs >= timeoutMs)
      .map(([node]) => node)
      .sort();
  }

  /** Gives whether the node counted as alive. */
  markDead(node: string): boolean {
    const wasLive = this.#isLive(node);
    this.#dead.add(node);
    return wasLive;
  }

  #isLive(node: string): boolean {
    return this.#observations.has(node) && !this.#dead.has(node);
  }
}
