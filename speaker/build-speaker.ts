import { Announcer } from "./announce/announcer.ts";
import { ChangeFeed } from "./change-feed.ts";
import { ChangeRouter } from "./change-router.ts";
import { Dataplane } from "./dataplane/dataplane.ts";
import { createDataplaneMetrics } from "./dataplane/metrics.ts";
import { HealthMonitor } from "./health/health-monitor.ts";
import { Host } from "./host.ts";
import { HostChecks } from "./host-checks/host-checks.ts";
import { isOnNode, serviceProxyInterface } from "./host-checks/host-facts.ts";
import type { Kernel } from "./kernel/kernel.ts";
import { lastPeerOf } from "./last-stakes/last-peer.ts";
import { StakeKeeper } from "./last-stakes/stake-keeper.ts";
import { readGateways } from "./links/gateways.ts";
import { readLinks } from "./links/read.ts";
import { createSpeakerMetrics, registerSpeakerGauges } from "./metrics.ts";
import { PassingOn } from "./passing-on/passing-on.ts";
import { HeartbeatChecks } from "./peers/heartbeat-checks.ts";
import { HeartbeatSetup } from "./peers/heartbeat-setup.ts";
import { Keyring } from "./peers/keyring.ts";
import { KubeletProbes } from "./peers/kubelet-probes.ts";
import { nodeOfMac } from "./peers/peer.ts";
import { PeerStates } from "./peers/peer-states.ts";
import { IdentityWriter } from "./report/identity-writer.ts";
import type { LeaseOptions } from "./report/lease.ts";
import { NodeOwner } from "./report/node-owner.ts";
import { Reporter } from "./report/reporter.ts";
import { SpeakerStatus } from "./report/speaker-status.ts";
import { Takeovers } from "./report/takeovers.ts";
import type { Responder } from "./responder/responder.ts";
import { ServiceRules } from "./service-rules.ts";
import type { SpeakerOptions } from "./speaker-options.ts";
import { SyncLoop } from "./sync-loop.ts";
import { createSpeakerWatches, type SpeakerWatches } from "./watches.ts";

/** The parts of a speaker that it starts, stops and asks. */
export interface SpeakerParts {
  readonly watches: SpeakerWatches;
  readonly host: Host;
  readonly checks: HostChecks;
  readonly kernel: Kernel;
  readonly responder: Responder;
  readonly dataplane: Dataplane;
  readonly rules: ServiceRules;
  readonly announcer: Announcer;
  readonly sync: SyncLoop;
  readonly health: HealthMonitor;
  readonly lease: LeaseOptions;
  readonly reporter: Reporter;
  readonly identity: IdentityWriter;
  readonly keyring: Keyring;
  readonly heartbeats: HeartbeatSetup;
  readonly lastStakes: StakeKeeper;
  readonly passingOn: PassingOn;
  readonly router: ChangeRouter;
}

/** Builds all parts bottom-up: each receives what it reads and what it drives. Only the change feed leads back up, to the router. Starts nothing. */
export function buildSpeaker(options: SpeakerOptions): SpeakerParts {
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
    readNodePortAddresses: options.readNodePortAddresses,
    nodePortFamilies: () => rules.nodePortFamilies,
    readUntaken: () => dataplane.readUntaken(),
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
  // A service proxy with such an interface forwards by IPVS.
  const hiddenChoices = () => serviceProxyInterface(kernel.network) !== undefined;
  const rules = new ServiceRules({
    node,
    answersPing: settings.answerPing,
    watched: watches,
    dataplane,
    isOnNode: (address) => isOnNode(address, kernel.network),
    kubeProxyDelayMs: kubeProxyDelaySeconds * 1000,
    mayDropForwarded: () => kernel.droppingChains.length > 0,
    hiddenChoices,
    tcpLoose: () => checks.tcpLoose,
    closedNodePorts: () => checks.closedNodePorts,
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
    avoidsDeadNodes: kubeProxyDelaySeconds > 0,
    hiddenChoices,
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

  const { secrets, ...others } = watches;
  const keyring = new Keyring({
    secrets,
    onChange() {
      log.info({ keys: keyring.keys.map(({ id }) => id) }, "using other keys of heartbeats");
      heartbeats.keysChanged();
    },
    clock,
  });
  const heartbeatChecks = new HeartbeatChecks({
    namespace,
    secrets,
    others,
    keyring,
    counters: responder.counters,
    clock,
    log: log.child({ component: "membership" }),
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
    witnesses: settings.witnesses,
    host,
    lanInterfaces: () => announcer.lanInterfaces,
    keys: () => keyring.keys,
    health,
    onChange: () => lastStakes.changed(),
    log: log.child({ component: "membership" }),
  });
  const lastStakes = new StakeKeeper({
    node,
    file: options.stakeFile,
    current: () => ({
      node,
      stakes: announcer.lastStakes.map((stake) => ({ ...stake, previous: [...passingOn.previousOf(stake.address)] })),
      former: passingOn.former.map(({ address, previous }) => ({ address, previous: [...previous] })),
      peers: heartbeats.peers.map(lastPeerOf),
      cluster: heartbeats.cluster ?? "",
      keys: keyring.keys.map((key) => key.exportBytes()),
    }),
    clock,
    log: log.child({ component: "last-stakes" }),
  });

  const kubeletProbes = new KubeletProbes({ heartbeats, responder, probe: options.probeKubelet, clock });
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
    heartbeatChecks,
    kubeletProbes,
    passingOn,
    identity,
    keyring,
  });
  changes.listen(router);
  registerSpeakerGauges(registry, { announcer, responder, checks, peers: peerStates });

  return {
    watches,
    host,
    checks,
    kernel,
    responder,
    dataplane,
    rules,
    announcer,
    sync,
    health,
    lease,
    reporter,
    identity,
    keyring,
    heartbeats,
    lastStakes,
    passingOn,
    router,
  };
}
