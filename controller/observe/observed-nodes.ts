import { hasFeature, isDrained, statusOwnersFeature } from "../../src/api/speaker.ts";
import { parseAddress } from "../../src/ip/address.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { describeLans, describeReadiness } from "../owners/announcer-node.ts";
import { Fingerprints } from "./fingerprints.ts";
import { addressesOf, type Interfaces, interfaceAddresses, nodeInfoOf, subnetEdges } from "./node-networks.ts";
import type { Watched } from "./sources.ts";

/** What a change of a Node affects. */
export interface NodeChange {
  /** Whether its pod networks have changed, or the nodes of a pool of nodes' own addresses. */
  readonly pools: boolean;
  /** Whether its labels have changed, or its part in load balancing. */
  readonly owners: boolean;
}

/** Brings Nodes and speakers into the allocations. Addresses that nodes use themselves are blocked there. */
export class ObservedNodes {
  readonly #watched: Pick<Watched, "nodes" | "speakers" | "advertisements">;
  readonly #allocations: AddressAllocations;
  readonly #podCidrs = new Fingerprints();
  readonly #nodes = new Fingerprints();
  readonly #addresses = new Fingerprints();
  readonly #lans = new Fingerprints();
  /** The names and patterns of interfaces in all advertisements. Undefined: to be read again. */
  #named: ReadonlySet<string> | undefined;
  #namedText = "";
  /** Increases when these names change: the same interfaces may then matter that did not before. */
  #namedRevision = 0;

  constructor(watched: Pick<Watched, "nodes" | "speakers" | "advertisements">, allocations: AddressAllocations) {
    this.#watched = watched;
    this.#allocations = allocations;
  }

  observeNode(name: string): NodeChange {
    const node = this.#watched.nodes.views.get(name);
    const nodeChanged = this.#allocations.nodes.setNode(name, node === undefined ? undefined : nodeInfoOf(node));
    this.#allocations.block(`the address of Node ${name}`, node === undefined ? [] : addressesOf(node));
    const podCidrs = this.#podCidrs.changed(name, (node?.podCIDRs ?? []).join());
    const part = node === undefined ? [] : [node.excluded, node.departure, node.networkUnavailable, node.labels];
    const owners = this.#nodes.changed(name, JSON.stringify(part));
    this.#blockAddresses(name);
    return { pools: podCidrs || (nodeChanged && this.#allocations.nodes.hasPools), owners };
  }

  /**
   * Returns whether it may announce other addresses than before, or from other interfaces, reads the owners of addresses
   * elsewhere, can serve others, or was drained.
   * Speakers also write other fields, and often, and versions of them report an interface for each pod.
   */
  observeSpeaker(name: string): boolean {
    const speaker = this.#watched.speakers.views.get(name);
    this.#blockAddresses(name);
    if (speaker === undefined) return this.#lans.changed(name, "");
    const lans = describeLans(speaker, this.#namedInterfaces());
    const reads = hasFeature(speaker, statusOwnersFeature) === false ? "spec" : "status";
    const about = `${lans} ${reads} ${describeReadiness(speaker)} ${isDrained(speaker) ? "drained" : ""}`;
    return this.#lans.changed(name, `${this.#namedRevision}: ${about}`);
  }

  /**
   * Call it when an L2Advertisement was added, modified or deleted. If they name other interfaces than before, the next report of each
   * speaker counts as changed: what was recorded of the last one says nothing about interfaces that were not named then.
   */
  advertisementsChanged(): void {
    this.#named = undefined;
  }

  #namedInterfaces(): ReadonlySet<string> {
    if (this.#named !== undefined) return this.#named;
    const names = [...this.#watched.advertisements.views.values()].flatMap(({ spec }) => spec.interfaces ?? []);
    this.#named = new Set(names);
    const text = [...this.#named].sort().join();
    if (text !== this.#namedText) this.#namedRevision++;
    this.#namedText = text;
    return this.#named;
  }

  /** An interface that is down has its addresses too. Those of a Node that is gone are free, even if its Speaker is still there. */
  #blockAddresses(name: string): void {
    const { nodes, speakers } = this.#watched;
    const exists = nodes.views.has(name);
    const status = exists ? speakers.views.get(name)?.status : undefined;
    const interfaces: Interfaces = status?.interfaces ?? [];
    const gateways = status?.gateways ?? [];
    const texts = interfaces.flatMap(({ name, addresses }) => addresses.map((address) => `${name} ${address}`)).sort();
    const text = texts.length + gateways.length === 0 ? "" : [...texts, "via", ...gateways].join(" ");
    if (!this.#addresses.changed(name, text)) return;
    this.#allocations.block(
      `the default gateway of Node ${name}`,
      gateways.flatMap((text) => parseAddress(text) ?? []),
    );
    this.#allocations.block(`on an interface of Node ${name}`, interfaceAddresses(interfaces));
    const edges = subnetEdges(interfaces);
    this.#allocations.block(`a network, broadcast or anycast address of the subnet of Node ${name}`, edges);
  }
}
