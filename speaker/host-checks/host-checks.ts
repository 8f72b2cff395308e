import type { Clock } from "../../src/clock/clock.ts";
import type { IpAddress, IpFamily } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import type { NodeView } from "../../src/model/node.ts";
import { reasonMessage } from "../../src/model/reason.ts";
import type { DroppingChain } from "../../src/nft-netlink/forward-chains.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";
import type { ServicePortKey } from "../dataplane/element.ts";
import type { Link } from "../links/link.ts";
import { sameLinks } from "../links/read.ts";
import { addCannotServe } from "./cannot-serve.ts";
import { FamiliesInUse } from "./families-in-use.ts";
import { findHostFaults } from "./find-host-faults.ts";
import { defaultRouteInterfaces, missingNodeAddresses, serviceProxyInterface } from "./host-facts.ts";
import type { HostFault } from "./host-fault.ts";
import type { HostSettings } from "./host-settings.ts";
import { closedInternalIps } from "./node-port-addresses.ts";
import { UntakenPorts } from "./untaken-ports.ts";

export interface HostChecksOptions {
  readonly node: string;
  readonly watched: {
    readonly nodes: { readonly views: ReadonlyMap<string, NodeView> };
    readonly virtualIps: { readonly views: { has(name: string): boolean } };
  };
  readonly readSettings: (links: readonly Link[]) => HostSettings;
  readonly network: () => HostNetwork;
  readonly droppingChains: () => readonly DroppingChain[];
  /** `nodePortAddresses` of the kube-proxy of this node; undefined: not known. Never rejects. */
  readonly readNodePortAddresses: () => Promise<readonly string[] | undefined>;
  /** Ports left to a service proxy for which new connections were dropped in the last minute. Rejects only for bugs. */
  readonly readUntaken: () => Promise<readonly ServicePortKey[]>;
  /** Families of which ports are forwarded by node ports, where these can be reached. */
  readonly nodePortFamilies: () => ReadonlySet<IpFamily>;
  /** Interfaces on whose LAN there is an address of a Service. */
  readonly lanInterfaces: () => readonly string[];
  /** Names of the interfaces that an IPv4 address is announced on. */
  readonly announcingIPv4: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The kernel does not report changes of settings. */
const readEveryMs = 10_000;

/** kube-proxy reads its configuration only when it starts. */
const askKubeProxyEveryMs = 30_000;

/** Shorter than the kernel remembers a port. */
const readUntakenEveryMs = 20_000;

/** Knows the node's own settings and what is wrong with them. Reads them when interfaces change, and every ten seconds. */
export class HostChecks {
  readonly #options: HostChecksOptions;
  readonly #families = new FamiliesInUse();
  #read: { readonly links: readonly Link[]; readonly settings: HostSettings; readonly dueMs: number } | undefined;
  #links: readonly Link[] = [];
  #faults: readonly HostFault[] | undefined;
  #nodePortAddresses: readonly string[] | undefined;
  #askKubeProxyAtMs = Number.NEGATIVE_INFINITY;
  readonly #untaken = new UntakenPorts();
  #readUntakenAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: HostChecksOptions) {
    this.#options = options;
  }

  /** The faults as of the last `refresh`. */
  get faults(): readonly HostFault[] {
    return this.#faults ?? [];
  }

  /** Whether connection tracking takes TCP packets of unknown connections for new ones, as was last read. The kernel's default is that it does. */
  get tcpLoose(): boolean {
    return this.#read?.settings.tcpLoose ?? true;
  }

  /** Families in which kube-proxy does not open node ports at the InternalIP, as far as is known. */
  get closedNodePorts(): ReadonlySet<IpFamily> {
    return new Set(this.#closedInternalIps().map(({ family }) => family));
  }

  #closedInternalIps(): readonly IpAddress[] {
    const { node, watched } = this.#options;
    return closedInternalIps(watched.nodes.views.get(node), this.#nodePortAddresses);
  }

  /** Asks kube-proxy once, whether something depends on it or not: rules of a speaker that starts must not lead to closed node ports. Never rejects. */
  async askKubeProxy(): Promise<void> {
    const { clock, readNodePortAddresses } = this.#options;
    this.#askKubeProxyAtMs = clock.monotonicMs() + askKubeProxyEveryMs;
    const addresses = await readNodePortAddresses();
    // While kube-proxy restarts, its last answer counts.
    this.#nodePortAddresses = addresses ?? this.#nodePortAddresses;
  }

  /** Asks kube-proxy if that is due, which it is only while something depends on it. The next `refresh` uses the answer. */
  #askKubeProxyIfDue(): void {
    const { clock, nodePortFamilies } = this.#options;
    if (nodePortFamilies().size === 0 || clock.monotonicMs() < this.#askKubeProxyAtMs) return;
    void this.askKubeProxy();
  }

  #readUntaken(): void {
    const { clock, readUntaken, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#readUntakenAtMs) return;
    this.#readUntakenAtMs = nowMs + readUntakenEveryMs;
    readUntaken().then(
      (ports) => this.#untaken.observe(ports, clock.monotonicMs()),
      (error: unknown) => log.error({ err: error }, "cannot read which ports the service proxy has not taken"),
    );
  }

  virtualIpChanged(name: string): void {
    this.#families.put(name, this.#options.watched.virtualIps.views.has(name));
  }

  /** The interfaces, each with the families that it cannot serve. Reads the settings if they are due. */
  addCannotServe(links: readonly Link[]): readonly Link[] {
    const { clock, readSettings } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#read === undefined || nowMs >= this.#read.dueMs || !sameLinks(links, this.#read.links))
      this.#read = { links, settings: readSettings(links), dueMs: nowMs + readEveryMs };
    this.#links = addCannotServe(links, this.#read.settings);
    return this.#links;
  }

  /**
   * Evaluates what was last read, and starts the readings that are due. Returns whether there are other
   * faults than before, and true for the first time.
   */
  refresh(): boolean {
    const { node, watched, network, droppingChains, lanInterfaces, announcingIPv4, nodePortFamilies, log } =
      this.#options;
    this.#askKubeProxyIfDue();
    this.#readUntaken();
    if (this.#read === undefined) return false;
    const host = network();
    const faults = findHostFaults(this.#read.settings, {
      families: this.#families.current,
      lanInterfaces: lanInterfaces(),
      links: this.#links,
      announcingIPv4: announcingIPv4(),
      defaultRouteInterfaces: defaultRouteInterfaces(host),
      serviceProxyInterface: serviceProxyInterface(host),
      missingNodeAddresses: missingNodeAddresses(watched.nodes.views.get(node), host),
      closedInternalIps: this.#closedInternalIps(),
      nodePortFamilies: nodePortFamilies(),
      untakenPorts: this.#untaken.lasting(this.#options.clock.monotonicMs()),
      droppingChains: droppingChains(),
      conntrackWasFull: this.faults.some(({ type }) => type === "ConnectionTracking"),
    });
    const before = this.#faults;
    if (before !== undefined && textOf(before) === textOf(faults)) return false;
    this.#faults = faults;
    const known = new Set((before ?? []).map(({ reason }) => reason.message));
    for (const { reason } of faults) {
      if (!known.has(reason.message)) log.warn({ reason: reason.code }, reasonMessage(reason));
    }
    return true;
  }
}

function textOf(faults: readonly HostFault[]): string {
  return faults.map(({ reason }) => reason.message).join("\n");
}
