import { aborted, type Clock, pause, type Random, repeat } from "../src/clock/clock.ts";
import { HeartbeatKey } from "../src/heartbeat/heartbeat-key.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { EventRecorder } from "../src/kube/event.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import { reflectorFaults } from "../src/kube/reflector-health.ts";
import type { Logger } from "../src/log/log.ts";
import type { Registry } from "../src/metrics/registry.ts";
import type { Nft } from "../src/nft/nft.ts";
import type { SpeakerSettings } from "../src/settings/speaker-settings.ts";
import { Announcer } from "./announce/announcer.ts";
import type { GroupSocket } from "./announce/group-socket.ts";
import { ChangeFeed } from "./change-feed.ts";
import { ChangeRouter } from "./change-router.ts";
import { Dataplane } from "./dataplane/dataplane.ts";
import { createDataplaneMetrics } from "./dataplane/metrics.ts";
import type { MissingFeature } from "./dataplane/self-test.ts";
import { readCluster } from "./hash-seed.ts";
import { HealthMonitor } from "./health/health-monitor.ts";
import { Host } from "./host.ts";
import { HostChecks } from "./host-checks/host-checks.ts";
import { isOnNode } from "./host-checks/host-facts.ts";
import type { HostSettings } from "./host-checks/host-settings.ts";
import type { Kernel, KernelOptions } from "./kernel/kernel.ts";
import { lastPeerOf, peerOf } from "./last-stakes/last-peer.ts";
import type { StakeFile } from "./last-stakes/stake-file.ts";
import { StakeKeeper } from "./last-stakes/stake-keeper.ts";
import { readGateways } from "./links/gateways.ts";
import type { Link } from "./links/link.ts";
import { readLinks } from "./links/read.ts";
import type { LeaveIntent } from "./membership/stake.ts";
import { createSpeakerMetrics, registerSpeakerGauges } from "./metrics.ts";
import { PassingOn } from "./passing-on/passing-on.ts";
import { HeartbeatSetup } from "./peers/heartbeat-setup.ts";
import { Keyring } from "./peers/keyring.ts";
import { leaveIntentOf } from "./peers/leave-intent.ts";
import { nodeOfMac } from "./peers/peer.ts";
import { PeerStates } from "./peers/peer-states.ts";
import { IdentityWriter } from "./report/identity-writer.ts";
import { keepLease, type LeaseOptions } from "./report/lease.ts";
import { NodeOwner } from "./report/node-owner.ts";
import { Reporter } from "./report/reporter.ts";
import { SpeakerStatus } from "./report/speaker-status.ts";
import { Takeovers } from "./report/takeovers.ts";
import type { Responder, ResponderOptions } from "./responder/responder.ts";
import { ServiceRules } from "./service-rules.ts";
import { SyncLoop } from "./sync-loop.ts";
import { createSpeakerWatches, type SpeakerWatches } from "./watches.ts";

/** Everything that the speaker uses of the outside world. */
export interface SpeakerOptions {
  readonly settings: SpeakerSettings;
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly createKernel: (options: KernelOptions) => Kernel;
  readonly createResponder: (options: ResponderOptions) => Responder;
  readonly stakeFile: StakeFile;
  /** What the kernel of this node lacks. */
  readonly findMissingFeatures: (nft: Nft) => Promise<readonly MissingFeature[]>;
  readonly openGroupSocket: () => Promise<GroupSocket>;
  readonly readHostSettings: (links: readonly Link[]) => HostSettings;
  readonly kernelRelease: string;
  readonly bootNonce: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly kubeMetrics: KubeMetrics;
}

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
  readonly #watches: SpeakerWatches;
  readonly #host: Host;
  readonly #kernel: Kernel;
  #missingFeatures: readonly MissingFeature[] = [];
  /** Whether everything is listed. */
  #synced = false;
  readonly #responder: Responder;
  readonly #dataplane: Dataplane;
  readonly #rules: ServiceRules;
  readonly #announcer: Announcer;
  readonly #sync: SyncLoop;
  readonly #health: HealthMonitor;
  readonly #lease: LeaseOptions;
  readonly #reporter: Reporter;
  readonly #identity: IdentityWriter;
  readonly #keyring: Keyring;
  readonly #heartbeats: HeartbeatSetup;
  readonly #lastStakes: StakeKeeper;
  readonly #passingOn: PassingOn;
  readonly #router: ChangeRouter;

  /** Bottom-up: each part receives what it reads and what it drives. Only the change feed leads back up, to the router. */
  constructor(options: SpeakerOptions) {
    const { settings, client, clock, random, log, registry, kubeMetrics } = options;
    const { namespace, node, kubeProxyDelaySeconds } = settings;
    const announceLog = log.child({ component: "announce" });
    const dataplaneLog = log.child({ component: "dataplane" });
    const metrics = createSpeakerMetrics(registry);
    const changes = new ChangeFeed();

    const watches = createSpeakerWatches({
      client,
      namespace,
      node,
      changes,
      clock,
      random,
      log: log.child({ component: "watch" }),
      metrics: kubeMetrics,
    });
    const { virtualIps } = watches;
    const kernel = options.createKernel({ changes, clock, log: log.child({ component: "kernel" }) });
    const checks = new HostChecks({
      node,
      watched: watches,
      readSettings: options.readHostSettings,
      network: () => kernel.network,
      droppingChains: () => kernel.droppingChains,
      lanInterfaces: () => announcer.lanInterfaces,
      announcingIPv4: () => announcer.announcingIPv4,
      clock,
      log: log.child({ component: "host" }),
    });
    const host = new Host({
      readLinks: () => checks.addCannotServe(readLinks(kernel.network)),
      readGateways: () => readGateways(kernel.network),
      changes,
    });

    const dataplaneMetrics = createDataplaneMetrics(registry);
    const dataplane = new Dataplane({
      nft: kernel,
      conntrack: kernel,
      clock,
      random,
      log: dataplaneLog,
      metrics: dataplaneMetrics,
    });
    const rules = new ServiceRules({
      node,
      answersPing: settings.answerPing,
      watched: watches,
      dataplane,
      isOnNode: (address) => isOnNode(address, kernel.network),
      kubeProxyDelayMs: kubeProxyDelaySeconds * 1000,
      mayDropForwarded: () => kernel.droppingChains.length > 0,
      tcpLoose: () => checks.tcpLoose,
      changes,
      clock,
      random,
      log: dataplaneLog,
    });

    const responder = options.createResponder({
      node,
      heartbeatPort: settings.heartbeatPort,
      heartbeatIntervalMs: settings.heartbeatIntervalMs,
      onConflict: settings.onConflict,
      changes,
      clock,
      log: log.child({ component: "responder" }),
    });
    const { openGroupSocket } = options;
    const announcer = new Announcer({
      node,
      responder,
      openGroupSocket,
      changes,
      nodeOfMac: (mac) => nodeOfMac(watches.identities.views, mac),
      clock,
      log: announceLog,
    });
    const passingOn = new PassingOn({ node, dataplane, identities: watches.identities, virtualIps, host });
    const sync = new SyncLoop({
      virtualIps,
      host,
      passingOn,
      rules,
      dataplane,
      announcer,
      metrics,
      changes,
      clock,
      log: announceLog,
    });

    const peerStates = new PeerStates(log.child({ component: "membership" }));
    const owner = new NodeOwner(node, watches.nodes);
    const lease: LeaseOptions = {
      client,
      namespace,
      node,
      owner,
      heard: () => peerStates.heardCount > 0,
      leaseRenewals: metrics.leaseRenewals,
      clock,
      random,
      log: log.child({ component: "lease" }),
    };
    const { kernelRelease, bootNonce } = options;
    const health = new HealthMonitor({ dataplane, responder, clock });
    const status = new SpeakerStatus({
      host,
      announcer,
      health,
      dataplane,
      peers: peerStates,
      kernel: kernelRelease,
      bootNonce,
      clock,
    });
    const reporter = new Reporter({
      client,
      node,
      owner,
      virtualIps,
      announcer,
      dataplane,
      status,
      clock,
      random,
      log: log.child({ component: "report" }),
    });

    const keyring = new Keyring({
      secrets: watches.secrets,
      onChange() {
        log.info({ keys: keyring.keys.map(({ id }) => id) }, "using other keys of heartbeats");
        heartbeats.keysChanged();
      },
      clock,
    });
    const identity = new IdentityWriter({
      client,
      node,
      port: settings.heartbeatPort,
      owner,
      nodes: watches.nodes,
      identities: watches.identities,
      host,
      isOnNode: (address) => isOnNode(address, kernel.network),
      clock,
      random,
      log: log.child({ component: "report" }),
    });

    const heartbeats = new HeartbeatSetup({
      node,
      responder,
      watch: (links) => announcer.watch(links),
      identities: watches.identities,
      host,
      lanInterfaces: () => announcer.lanInterfaces,
      keys: () => keyring.keys,
      health,
      onChange: () => lastStakes.changed(),
    });
    const lastStakes = new StakeKeeper({
      node,
      file: options.stakeFile,
      current: () => ({
        node,
        stakes: announcer.lastStakes.map((stake) => ({ ...stake, previous: [...passingOn.previousOf(stake.address)] })),
        peers: heartbeats.peers.map(lastPeerOf),
        cluster: heartbeats.cluster ?? "",
        keys: keyring.keys.map((key) => key.exportBytes()),
      }),
      clock,
      log: log.child({ component: "last-stakes" }),
    });

    const takeovers = new Takeovers({ node, virtualIps, events: options.events, metrics });
    const router = new ChangeRouter({
      host,
      rules,
      announcer,
      sync,
      checks,
      owner,
      health,
      status,
      reporter,
      takeovers,
      lastStakes,
      peerStates,
      heartbeats,
      passingOn,
      identity,
      keyring,
    });
    changes.listen(router);
    registerSpeakerGauges(registry, { announcer, responder, checks, peers: peerStates });

    this.#options = options;
    this.#watches = watches;
    this.#host = host;
    this.#kernel = kernel;
    this.#responder = responder;
    this.#dataplane = dataplane;
    this.#rules = rules;
    this.#announcer = announcer;
    this.#sync = sync;
    this.#health = health;
    this.#lease = lease;
    this.#reporter = reporter;
    this.#identity = identity;
    this.#keyring = keyring;
    this.#heartbeats = heartbeats;
    this.#lastStakes = lastStakes;
    this.#passingOn = passingOn;
    this.#router = router;
  }

  /** What is missing before this node can forward and announce; empty: it is ready. */
  get unready(): readonly string[] {
    const missing = [...reflectorFaults(this.#watches, this.#options.clock.monotonicMs())];
    if (!this.#kernel.alive) missing.push("the kernel thread is not running");
    if (this.#kernel.silentMs > kernelSilenceMs) missing.push("the kernel thread waits for the kernel");
    if (!this.#responder.alive) missing.push("the responder thread is not running");
    for (const { family, feature, chain } of this.#missingFeatures) {
      if (chain === "pass_on") continue;
      const { everWritten, failingSinceMs } = this.#dataplane.writesOf(family);
      // Without addresses of the family there are no rules of it, and nothing is missing.
      if (!everWritten || failingSinceMs !== undefined) missing.push(`the kernel lacks for ${family}: ${feature}`);
    }
    for (const family of ["IPv4", "IPv6"] as const)
      if (!this.#dataplane.writesOf(family).everWritten) missing.push(`the ${family} rules are not written yet`);
    return missing;
  }

  /**
   * Runs until the signal is aborted. Answers until the very end and leaves the rules in the kernel and the lease as they are, so
   * that a restart moves no address and breaks no connection. Rejects when one of the two threads ends or hangs, or for a bug.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      await Promise.all([this.#kernel.start().then(() => this.#testKernel()), this.#responder.start()]);
    } catch (error) {
      // A thread that runs would keep the process.
      await this.#stopThreads();
      throw error;
    }
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
      keepLease(this.#lease, stop),
      ...Object.values(this.#watches).map((reflector) => reflector.run(stop)),
      this.#startWhenSynced(stop),
      this.#restoreWhenSilent(stop),
    ];
    for (const part of work) part.catch((error: unknown) => this.#router.failed(error));
    try {
      await Promise.race([aborted(signal), this.#router.failure]);
    } finally {
      const intent = leaveIntentOf(this.#watches.nodes.views.get(this.#options.settings.node));
      // Other nodes take over while this one still does all of its work.
      if (intent === "leave") await this.#leave(intent);
      stopping.abort();
      this.#lastStakes.stop();
      this.#sync.stop();
      this.#rules.stop();
      this.#dataplane.stop();
      this.#keyring.stop();
      // Not longer: what is under way may wait for an API server that does not answer.
      const over = new AbortController();
      const limit = pause(clock, shutdownMs, over.signal);
      await Promise.race([Promise.allSettled([...work, this.#reporter.stop(), this.#identity.stop()]), limit]);
      over.abort();
      // As late as possible: other nodes wait for the next speaker of this one from then on.
      if (intent === "restart") await this.#leave(intent);
      this.#announcer.close();
      await this.#stopThreads();
    }
  }

  async #stopThreads(): Promise<void> {
    await Promise.all([this.#responder.stop(), this.#kernel.stop()]);
  }

  /** Tells the other speakers whether this one comes back. Those that follow it announce its addresses before it stops. */
  async #leave(intent: LeaveIntent): Promise<void> {
    if (!this.#responder.alive) return;
    const { clock, log } = this.#options;
    log.info({ intent }, "stopping");
    this.#responder.send({ kind: "leave", intent });
    const over = new AbortController();
    await Promise.race([this.#router.left, pause(clock, leaveMs, over.signal)]);
    over.abort();
  }

  /** When the API server does not answer, what an earlier speaker of this node announced is announced again. */
  async #restoreWhenSilent(stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const last = await this.#lastStakes.read();
    this.#passingOn.restore(new Map(last?.stakes.map(({ address, previous }) => [address, previous])));
    await pause(clock, silentMs, stop);
    if (stop.aborted || this.#synced || last === undefined) return;
    log.warn({ addresses: last.stakes.length }, "the API server does not answer; continuing with the last stakes");
    this.#keyring.restore(last.keys.map((bytes) => new HeartbeatKey(bytes)));
    this.#heartbeats.restore(last.peers.map(peerOf));
    this.#heartbeats.setCluster(last.cluster);
    this.#announcer.restore(last.stakes, this.#host.links);
  }

  /** Names what the kernel lacks; without it our rules cannot be written. */
  async #testKernel(): Promise<void> {
    const { findMissingFeatures, log } = this.#options;
    this.#missingFeatures = await findMissingFeatures(this.#kernel);
    for (const missing of this.#missingFeatures) {
      if (missing.chain === "pass_on") {
        this.#dataplane.disablePassingOn(missing.family);
        log.warn(missing, "the kernel lacks a feature, so open connections end when their address moves");
        continue;
      }
      log.error(missing, "the kernel lacks a feature, so the rules of this family cannot be written");
    }
  }

  async #startWhenSynced(stop: AbortSignal): Promise<void> {
    const { identities, secrets: _, ...needed } = this.#watches;
    const synced = Promise.all(Object.values(needed).map((reflector) => reflector.whenSynced));
    const identified = readCluster(this.#options, stop).then((cluster) => {
      if (cluster !== undefined) this.#heartbeats.setCluster(cluster.uid);
      return cluster;
    });
    const [cluster] = await Promise.all([identified, Promise.race([synced, aborted(stop)])]);
    if (stop.aborted || cluster === undefined) return;
    this.#synced = true;
    this.#rules.setHashSeed(cluster.hashSeed);
    this.#rules.allChanged();
    this.#reporter.start();
    this.#reporter.enqueueSpeaker();
    // Before that, it is not known whether there is anything to write.
    void identities.whenSynced.then(() => {
      if (!stop.aborted) this.#identity.start();
    });
    this.#health.start();
    this.#lastStakes.start();
    this.#sync.start();
    const { clock, random, settings } = this.#options;
    const about = (ms: number) => (): number => ms * (0.9 + 0.2 * random());
    repeat(clock, about(settings.resyncSeconds * 1000), () => this.#sync.resync(), stop);
    repeat(clock, about(speakerRewriteMs), () => this.#reporter.rewriteSpeaker(), stop);
  }

  #tick(): void {
    this.#responder.signalAlive();
    this.#host.read();
    this.#router.checkHealth();
    this.#announcer.expireConflicts();
  }
}
