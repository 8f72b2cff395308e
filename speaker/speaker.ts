import { type Condition, timeText } from "../src/api/api.ts";
import { type OwnerReference, ownedByNode, type Speaker as SpeakerObject } from "../src/api/speaker.ts";
import { aborted, type Clock, pause, type Random, repeat } from "../src/clock/clock.ts";
import type { IpFamily } from "../src/ip/address.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import { reflectorFaults } from "../src/kube/reflector-health.ts";
import type { Logger } from "../src/log/log.ts";
import type { Registry } from "../src/metrics/registry.ts";
import type { Nft } from "../src/nft/nft.ts";
import { version } from "../src/program/version.ts";
import type { SpeakerSettings } from "../src/settings/speaker-settings.ts";
import { Announcer } from "./announce/announcer.ts";
import type { GroupSocket } from "./announce/group-socket.ts";
import type { Conntrack } from "./dataplane/conntrack.ts";
import { Dataplane } from "./dataplane/dataplane.ts";
import { createDataplaneMetrics } from "./dataplane/metrics.ts";
import { Host } from "./host.ts";
import type { Link } from "./links/link.ts";
import { createSpeakerMetrics, exposeResponderCounters, type SpeakerMetrics } from "./metrics.ts";
import { keepLease } from "./report/lease.ts";
import { Reporter } from "./report/reporter.ts";
import { forwardingCondition, speakerStatus } from "./report/speaker-status.ts";
import type { Responder, ResponderOptions } from "./responder/responder.ts";
import { ServiceRules } from "./service-rules.ts";
import { SyncLoop } from "./sync-loop.ts";
import { createSpeakerWatches, type SpeakerWatches } from "./watches.ts";

/** Everything that the speaker uses of the outside world. */
export interface SpeakerOptions {
  readonly settings: SpeakerSettings;
  readonly client: ApiClient;
  readonly nft: Nft;
  readonly conntrack: Conntrack;
  readonly startResponder: (options: ResponderOptions) => Promise<Responder>;
  readonly openGroupSocket: () => Promise<GroupSocket>;
  readonly readLinks: () => readonly Link[];
  readonly withoutForwarding: () => readonly IpFamily[];
  readonly kernel: string;
  readonly bootNonce: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly kubeMetrics: KubeMetrics;
}

/** How often interfaces are read, old conflicts are removed and the responder is shown that the main thread is alive. */
const tickMs = 2_000;

/** How often the Speaker object is written although nothing has changed, in case it was deleted. The API server stores no new version. */
const speakerRewriteMs = 5 * 60_000;

/** How long writes that are under way may take when the speaker stops. */
const shutdownMs = 1_000;

/** The speaker of one node: watches Services and addresses, writes rules, then announces; reports what it does. */
export class Speaker {
  readonly #options: SpeakerOptions;
  readonly #log: Logger;
  readonly #watches: SpeakerWatches;
  readonly #rules: ServiceRules;
  readonly #dataplane: Dataplane;
  readonly #reporter: Reporter;
  readonly #announcer: Announcer;
  readonly #metrics: SpeakerMetrics;
  readonly #sync: SyncLoop;
  readonly #host: Host;
  #nodeUid: string | undefined;
  /** Of the Speaker object. */
  #conditions: readonly Condition[] = [];
  readonly #failed = Promise.withResolvers<never>();
  #responder: Responder | undefined;

  constructor(options: SpeakerOptions) {
    const { settings, client, clock, random, log, registry, kubeMetrics } = options;
    this.#options = options;
    this.#log = log.child({ component: "announce" });
    const { readLinks, withoutForwarding } = options;
    this.#host = new Host({ readLinks, withoutForwarding, log: log.child({ component: "host" }) });
    this.#metrics = createSpeakerMetrics(registry, {
      announced: () => this.#announcer.addressCount,
      conflicts: () => this.#announcer.conflictCount,
    });
    this.#dataplane = new Dataplane({
      nft: options.nft,
      conntrack: options.conntrack,
      log: log.child({ component: "dataplane" }),
      metrics: createDataplaneMetrics(registry),
      now: () => clock.monotonicMs(),
    });
    this.#watches = createSpeakerWatches({
      client,
      node: settings.node,
      clock,
      random,
      log: log.child({ component: "watch" }),
      metrics: kubeMetrics,
      onChange: {
        services: (key) => this.#rules.serviceChanged(key),
        slices: (key) => this.#rules.sliceChanged(key),
        virtualIps: (name) => {
          this.#rules.virtualIpChanged(name);
          this.#reporter.enqueueVirtualIp(name);
          this.#sync.virtualIpChanged(name);
        },
        nodes: () => {
          this.#rules.nodeChanged();
          // After a Node was registered again, the garbage collector deletes what belonged to the Node before.
          if (this.#nodeUid !== this.#watches.nodes.views.get(settings.node)?.uid) this.#reporter.rewriteSpeaker();
          this.#nodeUid = this.#watches.nodes.views.get(settings.node)?.uid;
        },
      },
    });
    this.#rules = new ServiceRules({
      node: settings.node,
      watches: this.#watches,
      dataplane: this.#dataplane,
      onDirty: () => this.#sync.request(),
      now: () => clock.monotonicMs(),
      log: log.child({ component: "dataplane" }),
    });
    this.#announcer = new Announcer({
      node: settings.node,
      openGroupSocket: options.openGroupSocket,
      onChange: (name) => {
        this.#reporter.enqueueVirtualIp(name);
        this.#reporter.enqueueSpeaker();
      },
      now: () => clock.monotonicMs(),
      log: this.#log,
    });
    this.#sync = new SyncLoop({
      announcer: this.#announcer,
      rules: this.#rules,
      dataplane: this.#dataplane,
      virtualIps: () => this.#watches.virtualIps.views,
      links: () => this.#host.links,
      markBit: settings.markBit,
      metrics: this.#metrics,
      onBug: (error) => this.#failed.reject(error),
      clock,
      random,
      log: this.#log,
    });
    this.#reporter = new Reporter({
      client,
      node: settings.node,
      owner: () => this.#owner(),
      virtualIp: (name) => this.#watches.virtualIps.views.get(name),
      announcement: (name) => this.#announcer.announcement(name),
      conflict: (address) => this.#announcer.conflictOf(address),
      speakerStatus: () => this.#status(),
      addressCount: () => this.#announcer.addressCount,
      clock,
      random,
      log: log.child({ component: "report" }),
    });
  }

  /** What is missing before this node can forward and announce; empty: it is ready. */
  get unready(): readonly string[] {
    const missing = [...reflectorFaults({ ...this.#watches }, this.#options.clock.monotonicMs())];
    if (this.#responder?.alive !== true) missing.push("the responder thread is not running");
    if (!this.#sync.rulesWritten) missing.push("the rules are not written yet");
    return missing;
  }

  /**
   * Runs until the signal is aborted. Answers until the very end and leaves the rules in the kernel and the lease as they are, so
   * that a restart moves no address and breaks no connection. Rejects when the responder thread dies, or for a bug.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, client, clock, random, log, registry } = this.#options;
    const responder = await this.#options.startResponder({
      log: log.child({ component: "responder" }),
      onConflict: (conflict) => this.#announcer.observeConflict(conflict),
      onDeath: (error) => this.#failed.reject(error),
    });
    this.#responder = responder;
    this.#announcer.use(responder);
    exposeResponderCounters(registry, responder.counters);
    const stopping = new AbortController();
    const stop = stopping.signal;
    this.#tick();
    repeat(
      clock,
      () => tickMs,
      () => this.#tick(),
      stop,
    );
    const leaseLog = log.child({ component: "lease" });
    const onAttempt = (result: "renewed" | "failed") => this.#metrics.leaseRenewals.inc({ result });
    const { namespace, node } = settings;
    const work = [
      keepLease({ client, namespace, node, owner: () => this.#owner(), clock, random, log: leaseLog, onAttempt }, stop),
      ...Object.values(this.#watches).map((reflector) => reflector.run(stop)),
      this.#startWhenSynced(stop),
    ];
    for (const part of work) part.catch((error: unknown) => this.#failed.reject(error));
    try {
      await Promise.race([aborted(signal), this.#failed.promise]);
    } finally {
      stopping.abort();
      this.#sync.stop();
      // Not longer: what is under way may wait for an API server that does not answer.
      const over = new AbortController();
      const limit = pause(clock, shutdownMs, over.signal);
      await Promise.race([Promise.allSettled([...work, this.#reporter.stop()]), limit]);
      over.abort();
      this.#announcer.close();
      await responder.stop();
    }
  }

  async #startWhenSynced(stop: AbortSignal): Promise<void> {
    const synced = Promise.all(Object.values(this.#watches).map((reflector) => reflector.whenSynced));
    await Promise.race([synced, aborted(stop)]);
    if (stop.aborted) return;
    this.#rules.allChanged();
    this.#reporter.start();
    this.#reporter.enqueueSpeaker();
    this.#sync.start();
    const { clock, random, settings } = this.#options;
    const resyncMs = (): number => settings.resyncSeconds * 1000 * (0.9 + 0.2 * random());
    repeat(clock, resyncMs, () => this.#resync(), stop);
    repeat(
      clock,
      () => speakerRewriteMs * (0.9 + 0.2 * random()),
      () => this.#reporter.rewriteSpeaker(),
      stop,
    );
  }

  #tick(): void {
    this.#responder?.signalAlive();
    const changed = this.#host.look();
    if (changed.links) this.#sync.allChanged();
    else if (this.#announcer.incomplete) this.#sync.request();
    if (changed.forwarding) this.#noteForwarding();
    if (changed.links || changed.forwarding) this.#reporter.enqueueSpeaker();
    this.#announcer.expireConflicts();
  }

  #noteForwarding(): void {
    const now = timeText(this.#options.clock.wallMs());
    this.#conditions = forwardingCondition(this.#conditions, this.#host.withoutForwarding, now) ?? this.#conditions;
  }

  #resync(): void {
    this.#metrics.resyncs.inc();
    this.#dataplane.invalidate();
    this.#sync.allChanged();
  }

  #owner(): readonly OwnerReference[] | undefined {
    const { node } = this.#options.settings;
    const uid = this.#watches.nodes.views.get(node)?.uid ?? "";
    return uid === "" ? undefined : ownedByNode(node, uid);
  }

  #status(): NonNullable<SpeakerObject["status"]> {
    const { kernel, bootNonce } = this.#options;
    const { links } = this.#host;
    const announcing = this.#announcer.addresses;
    return speakerStatus({ version, kernel, bootNonce, links, announcing, conditions: this.#conditions });
  }
}
