import { type Clock, pause, type Random } from "../clock/clock.ts";
import type { Logger } from "../log/log.ts";
import { isAlreadyExists, isConflict } from "./api-error.ts";
import type { ApiClient } from "./client.ts";
import { type Lease, LeaseClient, type LeaseSpec, renewTimeText } from "./lease.ts";

export interface LeaderElectionOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all candidates, including an earlier start in the same pod. */
  readonly identity: string;
  /**
   * Runs while this process leads; its signal is aborted when the lease is lost. The election continues only after it has returned. Receives the
   * annotations that the lease had when it was acquired, with those of this process.
   */
  readonly lead: (signal: AbortSignal, annotations: Readonly<Record<string, string>>) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly timing?: LeaderTiming;
  /** Set on the lease whenever this process acquires or renews it. Others that it has stay. */
  readonly annotations?: () => Readonly<Record<string, string>>;
}

export interface LeaderTiming {
  /** Other candidates wait this long after the last renewal that they observed. */
  readonly leaseMs: number;
  /** A leader that fails to renew for this long stops leading. Together with retryMs it must be shorter than leaseMs. */
  readonly renewDeadlineMs: number;
  /** Wait before a renewal, and between attempts. */
  readonly retryMs: number;
}

/** client-go's defaults (tools/leaderelection, component-base config). */
export const defaultTiming: LeaderTiming = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/**
 * Takes part in the election until the signal is aborted, and leads whenever it is elected. Does not compare clocks of different machines:
 * a lease has expired when this process has not seen it change for its whole duration. Releases the lease at an orderly stop. As with
 * client-go, two processes may believe for a moment that they lead, so writes must be guarded anyway.
 */
export async function runLeaderElection(options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const candidate = new Candidate(options);
  const { clock, random, log } = options;
  const { retryMs } = options.timing ?? defaultTiming;
  while (!signal.aborted) {
    if (await candidate.tryToHold()) {
      log.info({ identity: options.identity }, "started leading");
      await leadWhileHeld(candidate, options, signal);
      log.info({ identity: options.identity }, "stopped leading");
    }
    // client-go's JitterFactor of 1.2 keeps candidates apart.
    await pause(clock, retryMs * (1 + 1.2 * random()), signal);
  }
}

async function leadWhileHeld(candidate: Candidate, options: LeaderElectionOptions, signal: AbortSignal): Promise<void> {
  const { clock } = options;
  const { retryMs } = options.timing ?? defaultTiming;
  const lost = new AbortController();
  const work = options.lead(AbortSignal.any([signal, lost.signal]), candidate.annotations);
  // A failure of the work itself ends the leadership; it is thrown where `work` is awaited below.
  const over = new AbortController();
  const end = (): void => over.abort();
  const finished = work.then(end, end);
  const ending = AbortSignal.any([signal, over.signal]);
  do await pause(clock, retryMs, ending);
  while (!ending.aborted && (await renew(candidate, options, ending)));
  lost.abort();
  await finished;
  await candidate.release();
  await work;
}

/**
 * Tries to renew the lease until the deadline, which begins with the first attempt and not with the last renewal, as in client-go
 * (LeaderElector.renew): a process that was stalled has a whole deadline when it runs again. The resourceVersion of the lease keeps it
 * from overwriting another holder. Returns false when the lease is lost.
 */
async function renew(candidate: Candidate, options: LeaderElectionOptions, ending: AbortSignal): Promise<boolean> {
  const { clock, log } = options;
  const { renewDeadlineMs, retryMs } = options.timing ?? defaultTiming;
  let startedMs = clock.monotonicMs();
  while (!ending.aborted) {
    const endMs = startedMs + renewDeadlineMs;
    const attemptedMs = clock.monotonicMs();
    // An answer takes time: an attempt with less than retryMs left would fail whatever the state of the lease is.
    if (endMs - attemptedMs < retryMs) return false;
    if (await candidate.tryToHold(endMs)) return true;
    if (candidate.heldByAnother) return false;
    const overdueMs = clock.monotonicMs() - Math.max(endMs, attemptedMs + requestTimeoutMs(renewDeadlineMs));
    if (overdueMs >= retryMs) {
      log.warn({ overdueMs: Math.round(overdueMs) }, "this process was stalled while it renewed the leader lease");
      startedMs = clock.monotonicMs();
    } else await pause(clock, retryMs, ending);
  }
  return true;
}

/** Half of the renew deadline, so that one lost answer leaves time for another attempt (as kube-controller-manager's client). */
function requestTimeoutMs(renewDeadlineMs: number): number {
  return renewDeadlineMs / 2;
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #timing: LeaderTiming;
  readonly #leases: LeaseClient;
  #lease: Lease | undefined;
  #observed = "";
  #observedMs = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#timing = options.timing ?? defaultTiming;
    this.#leases = new LeaseClient(options.client, options.namespace, options.name);
  }

  get heldByAnother(): boolean {
    const holder = this.#lease?.spec?.holderIdentity ?? "";
    return holder !== "" && holder !== this.#options.identity;
  }

  /** Of the lease as it was last read or written. */
  get annotations(): Readonly<Record<string, string>> {
    return this.#lease?.metadata.annotations ?? {};
  }

  /** Acquires or renews the lease, before `endMs`. Returns false if another process holds it or the API server does not answer in time. */
  async tryToHold(endMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    try {
      // While we hold it, the stored lease is the one that we wrote last: one request instead of two, unless another client wrote it.
      if (!this.#isOurs()) this.#observe(await this.#leases.read(this.#timeoutMs(endMs)));
      if (!this.#isOurs() && this.#lease !== undefined && !this.#isFree()) return false;
      this.#observe(await this.#write(this.#timeoutMs(endMs)));
      return true;
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return this.#observeOther(endMs);
      this.#options.log.warn({ err: error }, "the leader lease could not be acquired or renewed");
      return false;
    }
  }

  /** Another client has written the lease since it was read. Reads it again, to know the holder at once. Returns false. */
  async #observeOther(endMs: number): Promise<false> {
    this.#lease = undefined;
    try {
      this.#observe(await this.#leases.read(this.#timeoutMs(endMs)));
    } catch (error) {
      this.#options.log.warn({ err: error }, "the leader lease has changed and could not be read");
    }
    return false;
  }

  /** Never less than retryMs, even if a stall of this process has used up the time. */
  #timeoutMs(endMs: number): number {
    const { renewDeadlineMs, retryMs } = this.#timing;
    const leftMs = endMs - this.#options.clock.monotonicMs();
    return Math.max(retryMs, Math.min(leftMs, requestTimeoutMs(renewDeadlineMs)));
  }

  /** Empties the holder, so that the next leader need not wait. If that fails, it waits. */
  async release(): Promise<void> {
    if (this.#lease === undefined || !this.#isOurs()) return;
    const spec = { ...this.#lease.spec, holderIdentity: "", leaseDurationSeconds: 1 };
    try {
      await this.#leases.replace(this.#lease, spec, this.#timing.retryMs);
    } catch (error) {
      this.#options.log.warn({ err: error }, "the leader lease could not be released");
    }
    this.#lease = undefined;
  }

  #isOurs(): boolean {
    return this.#lease?.spec?.holderIdentity === this.#options.identity;
  }

  #isFree(): boolean {
    const { holderIdentity = "", leaseDurationSeconds = this.#timing.leaseMs / 1000 } = this.#lease?.spec ?? {};
    if (holderIdentity === "") return true;
    return this.#options.clock.monotonicMs() - this.#observedMs > leaseDurationSeconds * 1000;
  }

  #observe(lease: Lease | undefined): void {
    this.#lease = lease;
    const text = JSON.stringify([lease?.metadata.resourceVersion, lease?.spec]);
    if (text === this.#observed) return;
    this.#observed = text;
    this.#observedMs = this.#options.clock.monotonicMs();
  }

  async #write(timeoutMs: number): Promise<Lease> {
    const { identity, clock } = this.#options;
    const annotations = this.#options.annotations?.();
    const present = this.#lease?.spec ?? {};
    const now = renewTimeText(clock.wallMs(), present.renewTime);
    const ours = this.#isOurs();
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.leaseMs / 1000),
      acquireTime: ours ? (present.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (present.leaseTransitions ?? 0) + (ours || this.#lease === undefined ? 0 : 1),
    };
    return this.#lease === undefined
      ? this.#leases.create(spec, timeoutMs, annotations === undefined ? {} : { annotations })
      : this.#leases.replace(this.#lease, spec, timeoutMs, annotations);
  }
}
