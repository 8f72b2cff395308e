import { isDeepStrictEqual } from "node:util";
import { forwardingTextOf } from "../src/api/virtual-ip.ts";
import type { Clock, Random } from "../src/clock/clock.ts";
import { FamilyIndex } from "../src/index/family-index.ts";
import { formatAddress, type IpAddress, type IpFamily, ipFamilies, parseAddress } from "../src/ip/address.ts";
import type { Logger } from "../src/log/log.ts";
import { type Forwarding, parseForwarding } from "../src/model/forwarding.ts";
import { invalidSettings } from "../src/model/invalid-settings.ts";
import { type Reason, reasonMessage } from "../src/model/reason.ts";
import type { ServicePort } from "../src/model/service.ts";
import { refersTo, serviceKeyOf } from "../src/model/service-reference.ts";
import { zoneLabel } from "../src/model/usable-endpoints.ts";
import type { Dataplane } from "./dataplane/dataplane.ts";
import type { Element } from "./dataplane/element.ts";
import type { SeenService } from "./dataplane/kube-proxy-delay.ts";
import { type NodeFacts, renderService } from "./dataplane/render.ts";
import { defaultHashSeed } from "./hash-seed.ts";
import { ServiceIndex } from "./service-index.ts";
import { type PermitsPort, permittedPorts } from "./shared-ports.ts";
import { SliceNodes } from "./slice-nodes.ts";
import type { Watched } from "./watches.ts";

/** Receives that Services must be rendered without an event of the cluster. */
export interface RulesListener {
  /** kube-proxy has caught up with a Service, so its rules change. */
  rulesDue(): void;
}

export interface ServiceRulesOptions {
  readonly node: string;
  readonly watched: Pick<Watched, "services" | "slices" | "virtualIps" | "nodes">;
  readonly dataplane: Dataplane;
  readonly answersPing: boolean;
  /** Whether an interface of this node has the address. */
  readonly isOnNode: (address: string) => boolean;
  /** How long kube-proxy may take until its rules have a change. */
  readonly kubeProxyDelayMs: number;
  /** Whether a chain of another program may drop what goes straight to pods, and not what kube-proxy has marked. */
  readonly mayDropForwarded: () => boolean;
  /** Whether the service proxy of this node hides which endpoint it chooses. */
  readonly hiddenChoices: () => boolean;
  /** Whether connection tracking takes TCP packets of unknown connections for new ones. */
  readonly tcpLoose: () => boolean;
  /** Families in which the service proxy of this node does not open node ports at the InternalIP. */
  readonly closedNodePorts: () => ReadonlySet<IpFamily>;
  readonly changes: RulesListener;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** An address of a Service, and the ports that the Service may have on it. */
interface OwnAddress {
  readonly address: IpAddress;
  readonly permits: PermitsPort;
  /** What its pool or its reservation says of how traffic reaches the pods. */
  readonly forwarding: Forwarding | undefined;
}

/** Knows which Services an event changes, and renders only these. What notes a change returns whether there is something to render. */
export class ServiceRules {
  readonly #options: ServiceRulesOptions;
  readonly #slices = new ServiceIndex();
  readonly #sliceNodes = new SliceNodes();
  readonly #virtualIps = new ServiceIndex();
  /** Nodes that have died since the last `render`. */
  #died = new Set<string>();
  /** By Service: what was last logged about its settings. */
  readonly #logged = new Map<string, string>();
  /** By Service: its ports as they were last rendered, and what ends the wait for kube-proxy. */
  readonly #seen = new Map<string, SeenService>();
  readonly #waits = new Map<string, () => void>();
  /** Services with ports that are forwarded by node ports, where these can be reached. */
  readonly #nodePortServices = new FamilyIndex();
  /** Whether nothing was rendered yet, so that everything looks new. */
  #starting = true;
  #dirty = new Set<string>();
  #dirtySinceMs: number | undefined;
  #node: NodeFacts;

  constructor(options: ServiceRulesOptions) {
    this.#options = options;
    const addresses = { IPv4: undefined, IPv6: undefined };
    const { node: name, answersPing } = options;
    this.#node = {
      name,
      zone: undefined,
      addresses,
      answersPing,
      mayDropForwarded: false,
      hashSeed: defaultHashSeed,
    };
  }

  /** This node as it was last observed; the deletion of its Node object changes nothing. */
  get node(): NodeFacts {
    return this.#node;
  }

  /** Families of which ports are forwarded by node ports, where these can be reached. */
  get nodePortFamilies(): ReadonlySet<IpFamily> {
    return this.#nodePortServices.families;
  }

  /** Call it before the first `render`: chains in the kernel keep the seed that they were made with. */
  setHashSeed(hashSeed: number): void {
    this.#node = { ...this.#node, hashSeed };
  }

  serviceChanged(key: string): boolean {
    return this.#markDirty([key]);
  }

  sliceChanged(key: string): boolean {
    const slice = this.#options.watched.slices.views.get(key);
    this.#sliceNodes.set(key, slice);
    return this.#markDirty(this.#slices.set(key, slice === undefined ? [] : [slice.serviceKey]));
  }

  virtualIpChanged(name: string): boolean {
    const services = this.#options.watched.virtualIps.views.get(name)?.spec.services ?? [];
    const keys = services.map(serviceKeyOf);
    return this.#markDirty(this.#virtualIps.set(name, keys), true);
  }

  /** The Node, the addresses of interfaces or the chains of other programs may have changed. */
  nodeChanged(): boolean {
    const observed = this.#observeNode();
    if (isDeepStrictEqual(observed, this.#node)) return false;
    this.#node = observed;
    return this.allChanged();
  }

  /** An InternalIP on no interface is not used: packets for node ports at it would be routed away. */
  #observeNode(): NodeFacts {
    const { node, watched, isOnNode, mayDropForwarded, hiddenChoices, tcpLoose, closedNodePorts } = this.#options;
    const facts = {
      ...this.#node,
      mayDropForwarded: mayDropForwarded(),
      hiddenChoices: hiddenChoices(),
      tcpLoose: tcpLoose(),
      closedNodePorts: closedNodePorts(),
    };
    const view = watched.nodes.views.get(node);
    if (view === undefined) return facts;
    const present = (text: string | undefined) => (text !== undefined && isOnNode(text) ? text : undefined);
    const addresses = { IPv4: present(view.internalIPv4), IPv6: present(view.internalIPv6) };
    return { ...facts, zone: view.labels[zoneLabel], addresses };
  }

  /**
   * The nodes that are dead, all of them: their endpoints take no connections from the next write on, and connections to them are deleted
   * after it. Also during a write. Returns whether there is something to write. In O(endpoints of the nodes that have changed).
   */
  setDeadNodes(nodes: Iterable<string>): boolean {
    const { node: own } = this.#options;
    const before = this.#node.deadNodes ?? new Set();
    const dead = new Set(nodes);
    dead.delete(own);
    const died = [...dead].filter((node) => !before.has(node));
    const returned = [...before].filter((node) => !dead.has(node));
    if (died.length + returned.length === 0) return false;
    this.#node = { ...this.#node, deadNodes: dead };
    for (const node of died) this.#died.add(node);
    for (const node of returned) this.#died.delete(node);
    let touched = false;
    for (const node of [...died, ...returned]) {
      for (const key of this.#sliceNodes.slicesOn(node))
        touched = this.#markDirty(this.#slices.servicesOf(key)) || touched;
    }
    return touched;
  }

  #endConnections(node: string): void {
    const { watched, dataplane } = this.#options;
    for (const key of this.#sliceNodes.slicesOn(node)) {
      const slice = watched.slices.views.get(key);
      if (slice === undefined) continue;
      const { family, serviceKey } = slice;
      const service = watched.services.views.get(serviceKey);
      const own = service === undefined ? [] : this.#addressesOf(serviceKey, service.uid);
      const destinations = own.flatMap(({ address }) => (address.family === family ? [formatAddress(address)] : []));
      if (destinations.length === 0) continue;
      const endpoints = slice.endpoints.flatMap(({ address, nodeName }) => (nodeName === node ? [address] : []));
      dataplane.endConnections(family, { destinations: new Set(destinations), endpoints: new Set(endpoints) });
    }
  }

  allChanged(): boolean {
    return this.#markDirty([...this.#virtualIps.services, ...this.#options.dataplane.services], true);
  }

  /** The VirtualIPs whose address a Service has. */
  virtualIpsOf(key: string): Iterable<string> {
    return this.#virtualIps.objectsOf(key);
  }

  /** Passes the changes to the data plane. Returns since when the first change waited, in monotonic milliseconds; undefined: none did. */
  render(): number | undefined {
    const dirty = this.#dirty;
    const since = this.#dirtySinceMs;
    this.#dirty = new Set();
    this.#dirtySinceMs = undefined;
    for (const key of dirty) this.#options.dataplane.setService(key, this.#render(key));
    for (const node of this.#died) this.#endConnections(node);
    this.#died.clear();
    this.#starting = false;
    return since;
  }

  /** Cancels everything that is due later. */
  stop(): void {
    for (const cancel of this.#waits.values()) cancel();
    this.#waits.clear();
  }

  /** Services without an address of ours do not concern the rules, unless they have just lost it. */
  #markDirty(services: readonly string[], always = false): boolean {
    let touched = false;
    for (const key of services) {
      if (!always && ![...this.#virtualIps.objectsOf(key)].length) continue;
      this.#dirty.add(key);
      touched = true;
    }
    if (touched) this.#dirtySinceMs ??= this.#options.clock.monotonicMs();
    return touched;
  }

  #render(key: string): readonly Element[] {
    const { watched } = this.#options;
    const service = watched.services.views.get(key);
    const addresses = service === undefined ? [] : this.#addressesOf(key, service.uid);
    if (service === undefined || service.type !== "LoadBalancer" || addresses.length === 0) {
      this.#logged.delete(key);
      this.#seen.delete(key);
      this.#noteNodePorts(key, new Set());
      this.#wait(key, undefined);
      return [];
    }
    const slices = [...this.#slices.objectsOf(key)].flatMap((name) => watched.slices.views.get(name) ?? []);
    this.#logInvalid(key, invalidSettings(service));
    const permitted = new Map(addresses.map((own) => [own.address, own.permits]));
    const permits = (address: IpAddress, port: ServicePort) => permitted.get(address)?.(port) === true;
    const { clock, random, kubeProxyDelayMs } = this.#options;
    const timing = {
      before: this.#seen.get(key),
      nowMs: clock.monotonicMs(),
      delayMs: kubeProxyDelayMs,
      spreadMs: this.#starting ? random() * kubeProxyDelayMs : 0,
    };
    const own = addresses.map(({ address }) => address);
    const defaults = new Map(addresses.map(({ address, forwarding }) => [address, forwarding]));
    const forwardingAt = (address: IpAddress) => defaults.get(address);
    const { elements, seen, dueMs, nodePortFamilies } = renderService(service, slices, own, this.#node, {
      permits,
      timing,
      forwardingAt,
    });
    this.#seen.set(key, seen);
    this.#noteNodePorts(key, nodePortFamilies);
    this.#wait(key, dueMs === undefined ? undefined : dueMs - timing.nowMs);
    return elements;
  }

  #noteNodePorts(key: string, present: ReadonlySet<IpFamily>): void {
    for (const family of ipFamilies) this.#nodePortServices.put(family, key, present.has(family));
  }

  /** The Service is rendered again after this time, and no longer at a time that was set before. */
  #wait(key: string, ms: number | undefined): void {
    this.#waits.get(key)?.();
    this.#waits.delete(key);
    if (ms === undefined) return;
    const cancel = this.#options.clock.after(ms, () => {
      this.#waits.delete(key);
      this.#dirty.add(key);
      this.#options.changes.rulesDue();
    });
    this.#waits.set(key, cancel);
  }

  /** A Service that was deleted and created again is another Service, and does not own the addresses of the first. */
  #addressesOf(key: string, uid: string): readonly OwnAddress[] {
    return [...this.#virtualIps.objectsOf(key)].flatMap((name) => {
      const virtualIp = this.#options.watched.virtualIps.views.get(name);
      if (virtualIp?.spec.services.some((reference) => refersTo(reference, { key, uid })) !== true) return [];
      const address = parseAddress(virtualIp.spec.address);
      if (address === undefined) return [];
      const forwarding = parseForwarding(forwardingTextOf(virtualIp));
      return [{ address, permits: permittedPorts(virtualIp, { key, uid }), forwarding }];
    });
  }

  /** Logs each reason once, and not with every change of an endpoint. The controller reports the same reasons to the user. */
  #logInvalid(key: string, reasons: readonly Reason[]): void {
    const text = reasons.map(reasonMessage).join(" ");
    if ((this.#logged.get(key) ?? "") === text) return;
    if (reasons.length === 0) this.#logged.delete(key);
    else this.#logged.set(key, text);
    for (const reason of reasons) {
      this.#options.log.warn({ service: key, reason: reason.code }, reasonMessage(reason));
    }
  }
}
