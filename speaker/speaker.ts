import { aborted, pause, repeat } from "../src/clock/clock.ts";
import { HeartbeatKey } from "../src/heartbeat/heartbeat-key.ts";
import { ipFamilies } from "../src/ip/address.ts";
import { reflectorFaults } from "../src/kube/reflector-health.ts";
import { buildSpeaker, type SpeakerParts } from "./build-speaker.ts";
import type { MissingFeature } from "./dataplane/self-test.ts";
import { readCluster } from "./hash-seed.ts";
import { peerOf } from "./last-stakes/last-peer.ts";
import { claimsToResume, type LastStakes } from "./last-stakes/last-stakes.ts";
import type { LeaveIntent } from "./membership/stake.ts";
import { timingFor } from "./membership/timing.ts";
import { leaveIntentOf } from "./peers/leave-intent.ts";
import { keepLease } from "./report/lease.ts";
import type { SpeakerOptions } from "./speaker-options.ts";

/** How often the node is read, old conflicts are removed and the responder is shown that the main thread is alive. */
const tickMs = 2_000;

/** How long the kernel thread may wait in one call, as beside a big change of other rules, before the speaker counts as not ready. */
const kernelSilenceMs = 30_000;

/** How often the Speaker object is written although nothing has changed, in case it was deleted. The API server stores no new version. */
const speakerRewriteMs = 5 * 60_000;

/** How long the speaker waits for other nodes that follow it when it stops. All of that fits into terminationGracePeriodSeconds. */
const leaveMs = 4_000;

/** How long the API server may take to list everything before the last stakes are used. */
const silentMs = 3_000;

/** How long writes that are under way may take when the speaker stops. */
const shutdownMs = 1_000;

/** The speaker of one node: watches Services and addresses, writes rules, then announces; reports what it does. */
export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #parts: SpeakerParts;
  #missingFeatures: readonly MissingFeature[] = [];
  /** Whether everything is listed. */
  #synced = false;

  constructor(options: SpeakerOptions) {
    this.#options = options;
    this.#parts = buildSpeaker(options);
  }

  /** What is missing before this node can forward and announce; empty: it is ready. */
  get unready(): readonly string[] {
    const { watches, kernel, responder, dataplane } = this.#parts;
    const missing = [...reflectorFaults(watches, this.#options.clock.monotonicMs())];
    if (!kernel.alive) missing.push("the kernel thread is not running");
    if (kernel.silentMs > kernelSilenceMs) missing.push("the kernel thread waits for the kernel");
    if (!responder.alive) missing.push("the responder thread is not running");
    for (const { family, feature, chain } of this.#missingFeatures) {
      if (chain === "pass_on") continue;
      const { everWritten, failingSinceMs } = dataplane.writesOf(family);
      // Without addresses of the family there are no rules of it, and nothing is missing.
      if (!everWritten || failingSinceMs !== undefined) missing.push(`the kernel lacks for ${family}: ${feature}`);
    }
    for (const family of ipFamilies)
      if (!dataplane.writesOf(family).everWritten) missing.push(`the ${family} rules are not written yet`);
    return missing;
  }

  /**
   * Runs until the signal is aborted. Answers until the very end and leaves the rules in the kernel and the lease as they are, so
   * that a restart moves no address and breaks no connection. Rejects when one of the two threads ends or hangs, or for a bug.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { watches, kernel, responder, lease, router } = this.#parts;
    const { clock } = this.#options;
    try {
      await Promise.all([kernel.start().then(() => this.#testKernel()), responder.start()]);
    } catch (error) {
      // A thread that runs would keep the process.
      await this.#stopThreads();
      throw error;
    }
    const last = await this.#readLastStakes();
    const stopping = new AbortController();
    const stop = stopping.signal;
    this.#tick();
    repeat(
      clock,
      () => tickMs,
      () => this.#tick(),
      stop,
    );
    const work = [
      keepLease(lease, stop),
      ...Object.values(watches).map((reflector) => reflector.run(stop)),
      this.#startWhenSynced(stop),
      this.#restoreWhenSilent(last, stop),
    ];
    for (const part of work) part.catch((error: unknown) => router.failed(error));
    try {
      await Promise.race([aborted(signal), router.failure]);
    } finally {
      const { lastStakes, sync, rules, dataplane, keyring, reporter, identity, announcer } = this.#parts;
      const intent = leaveIntentOf(watches.nodes.views.get(this.#options.settings.node));
      // Other nodes take over while this one still does all of its work.
      if (intent === "leave") await this.#leave(intent);
      stopping.abort();
      lastStakes.stop();
      sync.stop();
      rules.stop();
      dataplane.stop();
      keyring.stop();
      // Not longer: what is under way may wait for an API server that does not answer.
      const over = new AbortController();
      const limit = pause(clock, shutdownMs, over.signal);
      const kept = intent === "restart" ? lastStakes.keepForRestart(announcer.claims) : undefined;
      await Promise.race([Promise.allSettled([...work, reporter.stop(), identity.stop(), kept]), limit]);
      over.abort();
      // As late as possible: other nodes wait for the next speaker of this one from then on.
      if (intent === "restart") await this.#leave(intent);
      announcer.close();
      await this.#stopThreads();
    }
  }

  async #stopThreads(): Promise<void> {
    await Promise.all([this.#parts.responder.stop(), this.#parts.kernel.stop()]);
  }

  /** Tells the other speakers whether this one comes back. Those that follow it announce its addresses before it stops. */
  async #leave(intent: LeaveIntent): Promise<void> {
    const { responder, router } = this.#parts;
    if (!responder.alive) return;
    const { clock, log } = this.#options;
    log.info({ intent }, "stopping");
    responder.send({ kind: "leave", intent });
    const over = new AbortController();
    await Promise.race([router.left, pause(clock, leaveMs, over.signal)]);
    over.abort();
  }

  /**
   * What an earlier speaker of this node has kept. The nodes that answered before always count. The claims by which it announced addresses
   * count if it ended a moment ago, so they are read before anything is listed.
   */
  async #readLastStakes(): Promise<LastStakes | undefined> {
    const { lastStakes, passingOn, responder } = this.#parts;
    const { clock, settings } = this.#options;
    const last = await lastStakes.read();
    passingOn.restore(last?.stakes ?? [], last?.former ?? []);
    if (last === undefined) return undefined;
    const claims = claimsToResume(last, clock.wallMs(), timingFor(settings.heartbeatIntervalMs).restartHoldMs);
    if (claims.size > 0) responder.send({ kind: "resume", claims });
    return last;
  }

  /** When the API server does not answer, what an earlier speaker of this node announced is announced again. */
  async #restoreWhenSilent(last: LastStakes | undefined, stop: AbortSignal): Promise<void> {
    const { keyring, heartbeats, announcer, host } = this.#parts;
    const { clock, log } = this.#options;
    await pause(clock, silentMs, stop);
    if (stop.aborted || this.#synced || last === undefined) return;
    log.warn({ addresses: last.stakes.length }, "the API server does not answer; continuing with the last stakes");
    keyring.restore(last.keys.map((bytes) => new HeartbeatKey(bytes)));
    heartbeats.restore(last.peers.map(peerOf));
    heartbeats.setCluster(last.cluster);
    announcer.restore(last.stakes, host.links);
  }

  /** Names what the kernel lacks; without it our rules cannot be written. */
  async #testKernel(): Promise<void> {
    const { kernel, dataplane } = this.#parts;
    const { findMissingFeatures, log } = this.#options;
    this.#missingFeatures = await findMissingFeatures(kernel);
    for (const missing of this.#missingFeatures) {
      if (missing.chain === "pass_on") {
        dataplane.disablePassingOn(missing.family);
        log.warn(missing, "the kernel lacks a feature, so open connections end when their address moves");
        continue;
      }
      log.error(missing, "the kernel lacks a feature, so the rules of this family cannot be written");
    }
  }

  async #startWhenSynced(stop: AbortSignal): Promise<void> {
    const { watches, checks, heartbeats, passingOn, rules, reporter, identity, health, lastStakes, sync } = this.#parts;
    const { identities, secrets: _, ...needed } = watches;
    const synced = Promise.all(Object.values(needed).map((reflector) => reflector.whenSynced));
    const identified = readCluster(this.#options, stop).then((cluster) => {
      if (cluster !== undefined) heartbeats.setCluster(cluster.uid);
      return cluster;
    });
    const [cluster] = await Promise.all([identified, Promise.race([synced, aborted(stop)]), checks.askKubeProxy()]);
    if (stop.aborted || cluster === undefined) return;
    this.#synced = true;
    passingOn.everythingListed();
    rules.setHashSeed(cluster.hashSeed);
    rules.nodeChanged();
    rules.allChanged();
    reporter.start();
    reporter.enqueueSpeaker();
    // Before that, it is not known whether there is anything to write.
    void identities.whenSynced.then(() => {
      if (!stop.aborted) identity.start();
    });
    health.start();
    lastStakes.start();
    sync.start();
    const { clock, random, settings } = this.#options;
    const about = (ms: number) => (): number => ms * (0.9 + 0.2 * random());
    repeat(clock, about(settings.resyncSeconds * 1000), () => sync.resync(), stop);
    repeat(clock, about(speakerRewriteMs), () => reporter.rewriteSpeaker(), stop);
  }

  #tick(): void {
    const { responder, host, router, announcer } = this.#parts;
    responder.signalAlive();
    host.read();
    router.checkHealth();
    announcer.expireConflicts();
  }
}
