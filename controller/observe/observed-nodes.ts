import { parseAddress } from "../../src/ip/address.ts";
import type { AddressAllocations } from "../allocate/allocations/address-allocations.ts";
import { describeLans } from "../owners/announcer-node.ts";
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

  constructor(watched: Pick<Watched, "nodes" | "speakers" | "advertisements">, allocations: AddressAllocations) {
    this.#watched = watched;
    this.#allocations = allocations;
  }

  observeNode(name: string): NodeChange {
    const node = this.#watched.nodes.views.get(name);
    const nodeChanged = this.#allocations.nodes.setNode(name, node === undefined ? undefined : nodeInfoOf(node));
    this.#allocations.block(`the address of Node ${name}`, node === undefined ? [] : addressesOf(node));
    const podCidrs = this.#podCidrs.changed(name, (node?.podCIDRs ?? []).join());
    const part = node === undefined ? [] : [node.exclusion ?? "", node.networkUnavailable, node.labels];
    const owners = this.#nodes.changed(name, JSON.stringify(part));
    this.#blockAddresses(name);
    return { pools: podCidrs || (nodeChanged && this.#allocations.nodes.hasPools), owners };
  }

  /**
   * Returns whether it may announce other addresses than before, or from other interfaces. Speakers also write other fields, and often, and
   * versions of them report an interface for each pod.
   */
  observeSpeaker(name: string): boolean {
    const speaker = this.#watched.speakers.views.get(name);
    const advertisements = this.#watched.advertisements.views.values();
    this.#blockAddresses(name);
    return this.#lans.changed(name, speaker === undefined ? "" : describeLans(speaker, advertisements));
  }

  /** An interface that is down has its addresses too. Those of a Node that is gone are free, even if its Speaker is still there. */
  #blockAddresses(name: string): void {
    const { nodes, speakers } = this.#watched;
    const exists = nodes.views.has(name);
    const status = exists ? speakers.views.get(name)?.status : undefined;
    const interfaces: Interfaces = status?.interfaces ?? [];
    const gateways = status?.gateways ?? [];
    const texts = [...new Set(interfaces.flatMap(({ addresses }) => addresses))].sort();
    if (!this.#addresses.changed(name, [...texts, "via", ...gateways].join(" "))) return;
    this.#allocations.block(
      `the default gateway of Node ${name}`,
      gateways.flatMap((text) => parseAddress(text) ?? []),
    );
    this.#allocations.block(`on an interface of Node ${name}`, interfaceAddresses(interfaces));
    const edges = subnetEdges(interfaces);
    this.#allocations.block(`a network, broadcast or anycast address of the subnet of Node ${name}`, edges);
  }
}
