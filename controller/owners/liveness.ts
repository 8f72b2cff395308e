import { peersOf, type Speaker, type SpeakerPeers } from "../../src/api/speaker.ts";
import { NameIndex } from "../../src/index/name-index.ts";
import type { SpeakerLeaseView } from "../../src/model/lease.ts";
import { sameTexts } from "../../src/placement/owner-assignment.ts";

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

/** Of this many speakers that report a node as lost, one alone is not enough; in a cluster of two nodes there is only one. */
const lostReports = 2;

/**
 * Which speakers are alive, by their Leases and by what they report of each other. Does no input or output.
 *
 * A lease expires when it has not changed for its whole duration, by our own clock, while we could have observed a change. Call
 * `resetObservations` whenever changes may have been missed: each duration then starts again, so that an outage of the API server or our own
 * restart does not make a speaker look dead. Reports count while the lease of the speaker that made them has not expired:
 *
 * - A speaker whose lease has expired is alive as long as another one hears it, and says that it works: it is cut off from the API server alone.
 * - A speaker that several others count as dead, and that none of them hears, is dead although its lease has not expired. Where more than half
 *   of all are reported so, these reports do not count: a failure of the network between them is more likely.
 */
export class SpeakerLiveness {
  readonly #observations = new Map<string, Observation>();
  readonly #expired = new Set<string>();
  /** By the speaker that reports. */
  readonly #reports = new Map<string, SpeakerPeers>();
  /** By node: the speakers that hear it, and those that count it as dead. Whether their leases have expired is not considered. */
  readonly #heardBy = new NameIndex();
  readonly #lostBy = new NameIndex();
  /** Nodes that reports alone make dead. */
  readonly #lost = new Set<string>();
  #lostCounts = true;
  readonly #live = new Set<string>();
  #snapshot: ReadonlySet<string> | undefined;

  /** Nodes whose speaker is alive. The same set until that changes. */
  get live(): ReadonlySet<string> {
    this.#snapshot ??= new Set(this.#live);
    return this.#snapshot;
  }

  /** Nodes whose speaker is alive only because others hear it: its lease has expired, so it does not learn of changes. */
  get cutOff(): ReadonlySet<string> {
    return new Set([...this.#expired].filter((node) => this.#live.has(node)));
  }

  /**
   * `lease` undefined: it was deleted. An empty holder: the speaker has released it. Returns whether a speaker became alive or stopped being
   * alive: this one, or another that it reports on.
   */
  observe(node: string, lease: SpeakerLeaseView | undefined, nowMs: number): boolean {
    const wasFresh = this.#isFresh(node);
    const wasKnown = this.#observations.has(node);
    if (lease === undefined || lease.holder === "") {
      this.#observations.delete(node);
      this.#expired.delete(node);
    } else if (this.#observations.get(node)?.renewal !== lease.renewal) {
      this.#observations.set(node, {
        renewal: lease.renewal,
        durationMs: lease.durationMs,
        sinceMs: nowMs,
        timeoutMs: lease.durationMs,
      });
      this.#expired.delete(node);
    }
    if (wasFresh === this.#isFresh(node) && wasKnown === this.#observations.has(node)) return false;
    return this.#evaluate(this.#concernedBy(node));
  }

  /**
   * What the speaker of the node reports of its peers; undefined: nothing, or its Speaker object is gone. Returns whether a speaker became
   * alive or stopped being alive.
   */
  report(node: string, peers: SpeakerPeers | undefined): boolean {
    const before = this.#reports.get(node);
    if (before === peers || (before !== undefined && peers !== undefined && samePeers(before, peers))) return false;
    const concerned = this.#concernedBy(node);
    for (const other of before?.hearing ?? []) this.#heardBy.delete(other, node);
    for (const other of before?.lost ?? []) this.#lostBy.delete(other, node);
    if (peers === undefined) this.#reports.delete(node);
    else this.#reports.set(node, peers);
    for (const other of peers?.hearing ?? []) this.#heardBy.add(other, node);
    for (const other of peers?.lost ?? []) this.#lostBy.add(other, node);
    return this.#evaluate(new Set([...concerned, ...this.#concernedBy(node)]));
  }

  /** Renewals may have been missed. Leases that have expired stay so until they are renewed. */
  resetObservations(nowMs: number): void {
    for (const observation of this.#observations.values()) {
      observation.sinceMs = nowMs;
      observation.timeoutMs = observation.durationMs;
    }
  }

  /** Extends the timeouts of leases that are about to expire, if they are more than half. Call it before `findExpired`. */
  extendTimeouts(nowMs: number): void {
    let fresh = 0;
    const expiring: Observation[] = [];
    for (const [node, observation] of this.#observations) {
      if (this.#expired.has(node)) continue;
      fresh++;
      if (nowMs - observation.sinceMs >= observation.durationMs * expiryFraction) expiring.push(observation);
    }
    if (fresh <= 1 || expiring.length * 2 <= fresh) return;
    for (const observation of expiring) observation.timeoutMs = observation.durationMs * massExpiryFactor;
  }

  /** Nodes whose lease should have been renewed; confirm each by reading the lease before `markExpired`. Changes nothing. */
  findExpired(nowMs: number): readonly string[] {
    return [...this.#observations]
      .filter(([node, { sinceMs, timeoutMs }]) => !this.#expired.has(node) && nowMs - sinceMs >= timeoutMs)
      .map(([node]) => node)
      .sort();
  }

  /** Returns whether a speaker stopped being alive, or became alive because this one's reports no longer count. */
  markExpired(node: string): boolean {
    if (!this.#isFresh(node)) return false;
    this.#expired.add(node);
    return this.#evaluate(this.#concernedBy(node));
  }

  #isFresh(node: string): boolean {
    return this.#observations.has(node) && !this.#expired.has(node);
  }

  get #freshCount(): number {
    return this.#observations.size - this.#expired.size;
  }

  /** The node and those that it reports on. */
  #concernedBy(node: string): ReadonlySet<string> {
    const { hearing = [], lost = [] } = this.#reports.get(node) ?? {};
    return new Set([node, ...hearing, ...lost]);
  }

  /** Decides again which of these nodes are alive. Returns whether that has changed for any. */
  #evaluate(concerned: ReadonlySet<string>): boolean {
    // Only in a small cluster does the number of speakers decide how many have to report a node as lost.
    const nodes = new Set(this.#freshCount > lostReports + 2 ? concerned : [...concerned, ...this.#lostBy.keys]);
    for (const node of nodes) {
      if (this.#isLost(node)) this.#lost.add(node);
      else this.#lost.delete(node);
    }
    const lostCounts = this.#lost.size * 2 <= this.#freshCount;
    if (lostCounts !== this.#lostCounts) for (const node of this.#lost) nodes.add(node);
    this.#lostCounts = lostCounts;
    let changed = false;
    for (const node of nodes) {
      const live = this.#isLive(node);
      if (live === this.#live.has(node)) continue;
      changed = true;
      if (live) this.#live.add(node);
      else this.#live.delete(node);
    }
    if (changed) this.#snapshot = undefined;
    return changed;
  }

  #isLive(node: string): boolean {
    if (!this.#observations.has(node)) return false;
    return this.#isFresh(node) ? !(this.#lostCounts && this.#lost.has(node)) : this.#isHeard(node);
  }

  #isHeard(node: string): boolean {
    return this.#countFresh(this.#heardBy.of(node), node, 1) > 0;
  }

  /** A speaker that does not report peers is of a version without heartbeats, which no other can hear. */
  #isLost(node: string): boolean {
    if (!this.#isFresh(node) || !this.#reports.has(node) || this.#isHeard(node)) return false;
    const enough = Math.max(1, Math.min(lostReports, this.#freshCount - 1));
    return this.#countFresh(this.#lostBy.of(node), node, enough) >= enough;
  }

  /** How many of these speakers, without the node itself, have a lease that has not expired. Stops at `enough`. */
  #countFresh(reporters: Iterable<string>, node: string, enough: number): number {
    let count = 0;
    for (const reporter of reporters) {
      if (reporter !== node && this.#isFresh(reporter)) count++;
      if (count === enough) break;
    }
    return count;
  }
}

/**
 * The nodes whose speaker is alive at one moment, by the same rules. `held`: those with a Lease; `live`: those of them that have renewed it in
 * time. Pure.
 */
export function liveSpeakers(
  leases: { readonly held: ReadonlySet<string>; readonly live: ReadonlySet<string> },
  speakers: Iterable<Speaker>,
): ReadonlySet<string> {
  const liveness = new SpeakerLiveness();
  for (const node of leases.held) liveness.observe(node, { node, holder: node, durationMs: 0, renewal: "" }, 0);
  for (const node of leases.held) if (!leases.live.has(node)) liveness.markExpired(node);
  for (const speaker of speakers) liveness.report(speaker.metadata.name, peersOf(speaker));
  return liveness.live;
}

function samePeers(left: SpeakerPeers, right: SpeakerPeers): boolean {
  return sameTexts(left.hearing, right.hearing) && sameTexts(left.lost, right.lost);
}
