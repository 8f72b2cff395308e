import type { V1Lease } from "@kubernetes/client-node";
import { peersOf, type Speaker, speakerLeaseName } from "../../src/api/speaker.ts";
import { type Clock, repeat } from "../../src/clock/clock.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { leasePath } from "../../src/kube/path.ts";
import type { Reflector } from "../../src/kube/reflector.ts";
import type { Logger } from "../../src/log/log.ts";
import { projectSpeakerLease, type SpeakerLeaseView } from "../../src/model/lease.ts";
import { SpeakerLiveness } from "../owners/liveness.ts";
import type { ChangeListener } from "./change-feed.ts";

export interface SpeakerWatchOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly leases: Reflector<SpeakerLeaseView>;
  readonly speakers: { readonly views: ReadonlyMap<string, Speaker> };
  /** Receives a call when a speaker starts, stops or dies. */
  readonly changes: Pick<ChangeListener, "liveSpeakersChanged">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often leases are checked. A fraction of the 6 s or more that a speaker's lease lasts. */
const checkMs = 500;
/** A slower answer does not prove that the lease is still the same. */
const confirmTimeoutMs = 2_000;

/**
 * Knows which speakers are alive: watches their leases and what they report of each other, and asks the API server itself before it takes a
 * lease for expired.
 */
export class SpeakerWatch {
  readonly #options: SpeakerWatchOptions;
  readonly #liveness = new SpeakerLiveness();
  #connectedSinceMs: number | undefined;
  #confirming = false;

  constructor(options: SpeakerWatchOptions) {
    this.#options = options;
  }

  /** Names of the nodes whose speaker is alive. */
  get live(): ReadonlySet<string> {
    return this.#liveness.live;
  }

  /** Those of them that are cut off from the API server, and alive because others hear them. */
  get cutOff(): ReadonlySet<string> {
    return this.#liveness.cutOff;
  }

  /** The Lease of this name has changed. */
  leaseChanged(leaseKey: string): void {
    const lease = this.#options.leases.views.get(leaseKey);
    const node = lease?.node ?? leaseKey.slice(leaseKey.indexOf("/") + 1 + speakerLeaseName("").length);
    this.#update(() => this.#liveness.observe(node, lease, this.#options.clock.monotonicMs()));
  }

  /** The Speaker of this name has changed. */
  speakerChanged(name: string): void {
    const speaker = this.#options.speakers.views.get(name);
    this.#update(() => this.#liveness.report(name, speaker === undefined ? undefined : peersOf(speaker)));
  }

  /** `change` returns whether other speakers are alive than before. */
  #update(change: () => boolean): void {
    const { log, changes } = this.#options;
    const before = this.live;
    if (!change()) return;
    const after = this.live;
    const joined = [...after].filter((node) => !before.has(node));
    const gone = [...before].filter((node) => !after.has(node));
    if (joined.length > 0) log.info({ nodes: joined }, "speakers are alive");
    if (gone.length > 0) log.warn({ nodes: gone }, "speakers are considered dead");
    changes.liveSpeakersChanged();
  }

  /** Checks the leases until aborted. */
  run(signal: AbortSignal): void {
    const { clock } = this.#options;
    repeat(
      clock,
      () => checkMs,
      () => this.#check(clock.monotonicMs()),
      signal,
    );
  }

  #check(nowMs: number): void {
    const { connectedSinceMs } = this.#options.leases;
    // A watch that is down, or was restarted since the last check, may have missed renewals.
    if (connectedSinceMs === undefined || connectedSinceMs !== this.#connectedSinceMs)
      this.#liveness.resetObservations(nowMs);
    this.#connectedSinceMs = connectedSinceMs;
    this.#liveness.extendTimeouts(nowMs);
    const expired = this.#liveness.findExpired(nowMs);
    if (expired.length === 0 || this.#confirming) return;
    this.#confirming = true;
    void Promise.all(expired.map((node) => this.#confirm(node))).finally(() => {
      this.#confirming = false;
    });
  }

  /** The watch may be half open, or the API server stuck: only an answer that it gives now counts. */
  async #confirm(node: string): Promise<void> {
    const { client, namespace, clock, log, leases } = this.#options;
    const name = speakerLeaseName(node);
    const observed = leases.views.get(`${namespace}/${name}`)?.renewal;
    try {
      const path = leasePath(namespace, name);
      const { body } = await client.request({ method: "GET", path, timeoutMs: confirmTimeoutMs });
      const lease = projectSpeakerLease(body as V1Lease);
      if (lease === undefined || lease.renewal !== observed) {
        this.#update(() => this.#liveness.observe(node, lease, clock.monotonicMs()));
        return;
      }
    } catch (error) {
      if (!isNotFound(error)) {
        log.warn({ node, err: error }, "the API server does not answer, so it is unknown whether the speaker is alive");
        this.#liveness.resetObservations(clock.monotonicMs());
        return;
      }
    }
    log.warn({ node }, "a speaker has not renewed its lease");
    this.#update(() => this.#liveness.markExpired(node));
  }
}
