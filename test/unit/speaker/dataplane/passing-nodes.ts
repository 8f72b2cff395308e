import type { DataplaneSettings } from "../../../../speaker/dataplane/dataplane.ts";
import type { AddressHolders, Holder } from "../../../../speaker/dataplane/holders.ts";
import { formatAddress, parseAddress } from "../../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../../../src/model/service.ts";
import type { TraceOutcome } from "../../../../src/nft/tracer.ts";
import { holdersAfter } from "../passing-on/known-holders.ts";
import { FakeNode, node, type SentPacket, settings } from "./fake-node.ts";

export type NodeName = "n1" | "n2" | "n3" | "n4";
export const nodeNames = ["n1", "n2", "n3", "n4"] as const satisfies readonly NodeName[];

/** Where a packet ended, by the nodes that it was at. */
export interface Way {
  readonly nodes: readonly NodeName[];
  readonly outcome: TraceOutcome;
}

function holder(name: NodeName, family: "IPv4" | "IPv6"): Holder {
  const number = name.slice(1);
  const address = parseAddress(family === "IPv4" ? `192.0.2.1${number}` : `2001:db8::1${number}`);
  if (address === undefined) throw new Error(name);
  return { node: name, address, macs: [macOf(name)], device: { name: "eth0", index: 2 } };
}

export function macOf(name: NodeName): string {
  return `02:00:00:00:00:0${name.slice(1)}`;
}

function nodeNamesOf(names: readonly string[]): readonly NodeName[] {
  return names.flatMap((name) => nodeNames.find((one) => one === name) ?? []);
}

/** Four nodes on one LAN that pass packets on to one another. */
export class PassingNodes {
  readonly nodes: Readonly<Record<NodeName, FakeNode>>;
  readonly #settings: DataplaneSettings;

  constructor(change: Partial<DataplaneSettings> = {}) {
    this.#settings = { ...settings, ...change };
    const create = (name: NodeName) => new FakeNode({ ...node, name });
    this.nodes = { n1: create("n1"), n2: create("n2"), n3: create("n3"), n4: create("n4") };
    for (const at of nodeNames)
      for (const peer of nodeNames) if (peer !== at) this.nodes[at].dataplane.setPeer(peer, [macOf(peer)]);
  }

  /** The same Service on all nodes. */
  async put(view: ServiceView, slices: readonly EndpointSliceView[], addresses: readonly string[]): Promise<void> {
    for (const one of Object.values(this.nodes)) {
      await one.put(view, slices, addresses);
      await one.dataplane.apply(this.#settings);
    }
  }

  /** What a node knows of the holders of an address; without names: nothing. */
  async holders(at: NodeName, address: string, current?: NodeName | "self", ...previous: readonly NodeName[]) {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new Error(address);
    const other = (name: NodeName) => holder(name, parsed.family);
    const holders: AddressHolders = {
      current: current === undefined || current === "self" ? undefined : other(current),
      previous: previous.map(other),
    };
    this.nodes[at].dataplane.setHolders(parsed, current === undefined ? undefined : holders);
    await this.nodes[at].dataplane.apply(this.#settings);
  }

  /** The address has moved from node to node; every node has seen it. */
  async moved(address: string, ...held: readonly NodeName[]): Promise<void> {
    for (const at of nodeNames) await this.movedFor(at, address, ...held);
  }

  /** The same for one node. */
  async movedFor(at: NodeName, address: string, ...held: readonly NodeName[]): Promise<void> {
    const { current, previous } = holdersAfter(at, held);
    const [now = "self"] = nodeNamesOf(current === undefined ? [] : [current]);
    await this.holders(at, address, now, ...nodeNamesOf(previous));
  }

  /**
   * Sends a packet to a node. `knownAt`: the nodes that know its connection; `invalidAt`: those where it fits no connection that they know. Throws
   * where it goes round in circles.
   */
  send(
    to: NodeName,
    address: string,
    knownAt: readonly NodeName[],
    change: Partial<SentPacket> = {},
    invalidAt: readonly NodeName[] = [],
  ): Way {
    const nodes: NodeName[] = [];
    let at = to;
    let packet: Partial<SentPacket> = { syn: false, mac: "02:00:00:00:00:99", ...change };
    for (;;) {
      nodes.push(at);
      if (nodes.length > 20) throw new Error(`round in circles: ${nodes.join(" ")}`);
      const unknown = invalidAt.includes(at) ? "invalid" : (change.state ?? "new");
      const state = knownAt.includes(at) ? "established" : unknown;
      const outcome: TraceOutcome = this.nodes[at].send(address, { ...packet, state });
      const [copy] = outcome.copies;
      if (copy === undefined) return { nodes, outcome };
      const next = nodeNames.find((name) => {
        const family = address.includes(":") ? "IPv6" : "IPv4";
        return copy.to !== undefined && formatAddress(holder(name, family).address) === formatAddress(copy.to);
      });
      if (next === undefined || outcome.end !== "dropped") throw new Error("passed on, and not dropped here");
      packet = { ...packet, mac: macOf(at), hopLimit: copy.packet.hopLimit ?? 0 };
      at = next;
    }
  }
}
