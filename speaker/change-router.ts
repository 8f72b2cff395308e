import type { BellhopError } from "../src/error/error.ts";
import type { KeySecretFault } from "../src/heartbeat/key-secret.ts";
import { netfilterFamilies } from "../src/netlink/netfilter.ts";
import type { TableName } from "../src/nft-netlink/table-contents.ts";
import type { Announcer } from "./announce/announcer.ts";
import type { HoldingFact } from "./announce/holdings.ts";
import type { ChangeListener } from "./change-feed.ts";
import type { HealthMonitor } from "./health/health-monitor.ts";
import type { Host, HostChange } from "./host.ts";
import type { HostChecks } from "./host-checks/host-checks.ts";
import type { StakeKeeper } from "./last-stakes/stake-keeper.ts";
import type { Fact } from "./membership/effects.ts";
import type { Hearing } from "./membership/hearing.ts";
import type { PassingOn } from "./passing-on/passing-on.ts";
import type { HeartbeatChecks } from "./peers/heartbeat-checks.ts";
import type { HeartbeatSetup } from "./peers/heartbeat-setup.ts";
import type { Keyring } from "./peers/keyring.ts";
import type { KubeletProbes } from "./peers/kubelet-probes.ts";
import type { PeerStates } from "./peers/peer-states.ts";
import type { IdentityWriter } from "./report/identity-writer.ts";
import type { NodeOwner } from "./report/node-owner.ts";
import type { Reporter } from "./report/reporter.ts";
import type { SpeakerStatus } from "./report/speaker-status.ts";
import type { Takeovers } from "./report/takeovers.ts";
import type { FoundDevice } from "./responder/address-probes.ts";
import type { ObservedConflict } from "./responder/responder.ts";
import type { ServiceRules } from "./service-rules.ts";
import type { SyncLoop } from "./sync-loop.ts";
import type { WatchedResource } from "./watches.ts";

export interface ChangeRouterOptions {
  readonly host: Host;
  readonly rules: ServiceRules;
  readonly announcer: Announcer;
  readonly sync: SyncLoop;
  readonly checks: HostChecks;
  readonly owner: NodeOwner;
  readonly health: HealthMonitor;
  readonly status: SpeakerStatus;
  readonly reporter: Reporter;
  readonly takeovers: Takeovers;
  readonly lastStakes: StakeKeeper;
  readonly peerStates: PeerStates;
  readonly heartbeats: HeartbeatSetup;
  readonly heartbeatChecks: HeartbeatChecks;
  readonly kubeletProbes: KubeletProbes;
  readonly passingOn: PassingOn;
  readonly identity: IdentityWriter;
  readonly keyring: Keyring;
}

/** Knows what follows from each change: which Services are rendered, what is planned and written again, and what is reported. */
export class ChangeRouter implements ChangeListener {
  readonly #options: ChangeRouterOptions;
  readonly #failure = Promise.withResolvers<never>();
  /** The nodes that the Speaker was to list as dead and frozen when they last changed, as JSON. */
  #reportedDead = "[[],[]]";
  readonly #left = Promise.withResolvers<void>();

  constructor(options: ChangeRouterOptions) {
    this.#options = options;
  }

  /** Rejects with what makes it impossible to continue; never resolves. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  /** Resolves when the responder thread has told other nodes that this one leaves, and the process may end. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  watchedChanged(resource: WatchedResource, key: string): void {
    const { rules, sync, checks, owner, reporter, identity, keyring, heartbeats, passingOn } = this.#options;
    switch (resource) {
      case "services":
        if (rules.serviceChanged(key)) sync.request();
        break;
      case "slices":
        if (rules.sliceChanged(key)) sync.request();
        break;
      case "nodes":
        if (rules.nodeChanged()) sync.request();
        // After a Node was registered again, the garbage collector deletes what belonged to the Node before.
        if (owner.nodeChanged()) reporter.rewriteSpeaker();
        identity.refresh();
        break;
      case "virtualIps":
        checks.virtualIpChanged(key);
        rules.virtualIpChanged(key);
        reporter.enqueueVirtualIp(key);
        this.#holdersChanged(passingOn.virtualIpChanged(key));
        sync.virtualIpChanged(key);
        break;
      case "identities":
        identity.refresh();
        heartbeats.peersChanged();
        passingOn.peerChanged(key);
        if (!heartbeats.hasIdentity(key)) this.#options.peerStates.forget(key);
        this.#deadNodesChanged();
        sync.request();
        break;
      case "secrets":
        keyring.secretChanged();
        this.#checkHeartbeats();
        break;
    }
  }

  keySecretInvalid(fault: KeySecretFault | undefined): void {
    this.#options.heartbeatChecks.secretInvalid(fault);
    this.#checkHeartbeats();
  }

  /** Looks at the health of the node and at the key of heartbeats; a change is reported at once. */
  checkHealth(): void {
    const { health, heartbeats, status, reporter } = this.#options;
    this.#checkHeartbeats();
    if (!health.update()) return;
    heartbeats.healthChanged();
    status.healthChanged();
    reporter.reportSpeakerNow();
  }

  hostRead({ links }: HostChange): void {
    const { announcer, rules, sync, checks, status, reporter, identity, heartbeats, passingOn } = this.#options;
    if (rules.nodeChanged()) sync.request();
    if (links) identity.refresh();
    if (links) heartbeats.peersChanged();
    if (links) passingOn.linksChanged();
    heartbeats.healthChanged();
    if (links) sync.allChanged();
    else if (announcer.incomplete) sync.request();
    const faults = checks.refresh();
    if (faults) status.hostFaultsChanged(checks.faults);
    if (links || faults) reporter.enqueueSpeaker();
  }

  announcementChanged(virtualIp: string): void {
    this.#options.reporter.enqueueVirtualIp(virtualIp);
    this.#options.reporter.enqueueSpeaker();
  }

  announcementBegun(virtualIp: string, fact: HoldingFact): void {
    this.#options.takeovers.record(virtualIp, fact);
  }

  stakeAdded(address: string, announcedBy: string | undefined): void {
    this.#options.passingOn.stakeAdded(address, announcedBy);
  }

  stakeRemoved(address: string): void {
    const { lastStakes, passingOn } = this.#options;
    passingOn.stakeRemoved(address);
    lastStakes.changed();
  }

  stakesChanged(): void {
    this.#options.lastStakes.changed();
  }

  conflictObserved(conflict: ObservedConflict): void {
    this.#options.announcer.observeConflict(conflict);
  }

  factsObserved(facts: readonly Fact[]): void {
    for (const fact of facts) this.#factObserved(fact);
  }

  programsQuestioned(node: string, askedMs: number): void {
    this.#options.kubeletProbes.ask(node, askedMs);
  }

  hearingChanged(hearing: Hearing): void {
    const { peerStates, reporter } = this.#options;
    peerStates.setHearing(hearing);
    this.#deadNodesChanged();
    reporter.reportSpeakerNow();
  }

  addressUseObserved(address: string, by: FoundDevice | undefined): void {
    this.#options.announcer.addressUseObserved(address, by);
  }

  interfaceFailed(interfaceName: string): void {
    this.#options.announcer.interfaceFailed(interfaceName);
  }

  rulesDue(): void {
    this.#options.sync.request();
  }

  tableChanged(table: TableName, difference: string): void {
    this.#options.sync.repair(table.family === netfilterFamilies.ip ? "IPv4" : "IPv6", difference);
  }

  rulesWritten(): void {
    this.checkHealth();
  }

  rulesRefused(service: string): void {
    const { rules, reporter } = this.#options;
    for (const name of rules.virtualIpsOf(service)) reporter.enqueueVirtualIp(name);
    reporter.reportSpeakerNow();
  }

  networkChanged(): void {
    this.#options.host.read();
  }

  kernelDied(error: BellhopError): void {
    this.failed(error);
  }

  responderDied(error: BellhopError): void {
    this.failed(error);
  }

  failed(error: unknown): void {
    this.#failure.reject(error);
  }

  #checkHeartbeats(): void {
    const { heartbeatChecks, status, reporter } = this.#options;
    if (!heartbeatChecks.refresh()) return;
    status.heartbeatFaultChanged(heartbeatChecks.fault);
    reporter.reportSpeakerNow();
  }

  #holdersChanged(changed: boolean): void {
    const { lastStakes, sync } = this.#options;
    if (!changed) return;
    sync.request();
    lastStakes.changed();
  }

  #deadNodesChanged(): void {
    const { passingOn, peerStates, reporter, rules, sync } = this.#options;
    const { deadNodes, frozenNodes } = peerStates;
    // The kernel of a frozen node forwards what is passed on to it.
    const silent = new Set([...deadNodes].filter((node) => !frozenNodes.has(node)));
    const passing = passingOn.deadNodesChanged(silent);
    if (rules.setDeadNodes(deadNodes) || passing) sync.request();
    const reported = JSON.stringify([[...deadNodes].sort(), [...frozenNodes].sort()]);
    if (reported === this.#reportedDead) return;
    this.#reportedDead = reported;
    reporter.reportSpeakerNow();
  }

  #factObserved(fact: Fact): void {
    const { announcer, peerStates, passingOn } = this.#options;
    switch (fact.kind) {
      case "holding":
      case "released":
        announcer.holdingChanged(fact);
        if (fact.kind === "holding" && !fact.renewed) this.#holdersChanged(passingOn.begun(fact.address, fact.from));
        break;
      case "holder":
        this.#holdersChanged(passingOn.heldBy(fact.address, fact.holder));
        break;
      case "peerUp":
      case "peerDown":
        peerStates.observe(fact);
        this.#deadNodesChanged();
        break;
      case "isolated":
      case "connected":
        peerStates.observe(fact);
        break;
      case "leaveDone":
        this.#left.resolve();
    }
  }
}
