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
const commonSilenceFactor = 4;
/** Of a lease's duration; by then two renewals are missing. */
const silentFraction = 0.75;

/**
 * Which speakers are alive, judged by our own clock alone: a lease that has not changed for its whole duration *while we would
 * have heard of it*. Whatever breaks our hearing must be told by `deafened`: then every grace starts anew, so that an outage of
 * the API server or a restart of ours makes nobody look dead. Does no input or output.
 */
export class SpeakerLiveness {
  readonly #sightings = new Map<string, Observation>();
  readonly #dead = new Set<string>();

  /** Nodes whose speaker is alive. */
  get live(): ReadonlySet<string> {
    return new Set([...this.#sightings.keys()].filter((node) => !this.#dead.has(node)));
  }

  /** A lease as heard now; undefined: it is gone. An empty holder is a good-bye. Gives whether somebody came or went. */
  observe(node: string, lease: SpeakerLeaseView | undefined, nowMs: number): boolean {
    const wasLive = this.#isLive(node);
    if (lease === undefined || lease.holder === "") {
      this.#sightings.delete(node);
      this.#dead.delete(node);
    } else if (this.#sightings.get(node)?.renewal !== lease.renewal) {
      this.#sightings.set(node, {
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
    for (const sighting of this.#sightings.values()) {
      sighting.sinceMs = nowMs;
      sighting.timeoutMs = sighting.durationMs;
    }
  }

  /** Nodes whose lease has run out; to be confirmed by a direct read before they are buried. */
  suspects(nowMs: number): readonly string[] {
    const living = [...this.#sightings].filter(([node]) => !this.#dead.has(node));
    const silent = living.filter(([, { sinceMs, durationMs }]) => nowMs - sinceMs >= durationMs * silentFraction);
    if (living.length > 1 && silent.length * 2 > living.length) {
      for (const [, sighting] of silent) sighting.timeoutMs = sighting.durationMs * commonSilenceFactor;
    }
    return silent
      .filter(([, { sinceMs, timeoutMs: patienceMs }]) => nowMs - sinceMs >= patienceMs)
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
    return this.#sightings.has(node) && !this.#dead.has(node);
  }
}
