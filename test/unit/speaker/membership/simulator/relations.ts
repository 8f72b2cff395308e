import { Directory } from "../../../../../speaker/membership/directory.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { device, gateway, type Simulation } from "./simulation.ts";

/** Who can hear whom while nothing changes, as the network and the nodes have it, whatever the nodes believe. */
export class Relations {
  readonly #simulation: Simulation;
  readonly #directory: Directory;
  /** By node: the other owners of its addresses. */
  readonly #coOwners = new Map<string, Set<string>>();
  readonly live: readonly SimulatedNode[];

  constructor(simulation: Simulation) {
    const { nodes, api } = simulation;
    this.#simulation = simulation;
    this.live = nodes.filter((node) => node.isRunning && !node.isStalled);
    this.#directory = new Directory(
      nodes.map(({ name }) => ({ node: name, onLan: true })),
      nodes[0]?.name ?? "",
    );
    for (const address of api.addresses) {
      const owners = api.get(address)?.owners ?? [];
      for (const owner of owners) this.#coOwners.set(owner, new Set([...(this.#coOwners.get(owner) ?? []), ...owners]));
    }
  }

  /** They send each other heartbeats all the time: they are next to each other on a ring, or share a list of owners. */
  areConcerned(a: SimulatedNode, b: SimulatedNode): boolean {
    return (
      this.#directory.neighboursOf(a.name).has(b.name) || (a !== b && this.#coOwners.get(a.name)?.has(b.name) === true)
    );
  }

  /** Frames pass between them in both directions. */
  areOpen(a: SimulatedNode, b: SimulatedNode): boolean {
    const { network } = this.#simulation;
    return network.isOpen(a.index, b.index) && network.isOpen(b.index, a.index);
  }

  /** Some nodes that reach the same clients do not hear each other. */
  get hasBlocks(): boolean {
    const { network } = this.#simulation;
    const serving = this.#serving;
    return serving.some((a) =>
      serving.some((b) => network.sideOf(a.index) === network.sideOf(b.index) && !this.areOpen(a, b)),
    );
  }

  /** They hear each other's heartbeats. */
  areLinked(a: SimulatedNode, b: SimulatedNode): boolean {
    return this.areConcerned(a, b) && this.areOpen(a, b);
  }

  /** Groups of nodes that reach clients, and hear each other's heartbeats directly or by others of the group. */
  get sides(): readonly (readonly SimulatedNode[])[] {
    const left = new Set(this.#serving);
    const sides: (readonly SimulatedNode[])[] = [];
    for (const node of left) {
      const side = this.#groupOf(node, (a, b) => this.areLinked(a, b));
      for (const member of side) left.delete(member);
      sides.push(side);
    }
    return sides;
  }

  /** The nodes of its side, and those that it hears of by witnesses, to which it sends no heartbeats. */
  areaOf(node: SimulatedNode): readonly SimulatedNode[] {
    return this.#groupOf(node, (a, b) => this.areOpen(a, b));
  }

  get #serving(): readonly SimulatedNode[] {
    return this.live.filter((node) => this.#simulation.network.hasCable(node.index));
  }

  #groupOf(first: SimulatedNode, belong: (a: SimulatedNode, b: SimulatedNode) => boolean): readonly SimulatedNode[] {
    const group = new Set([first]);
    for (const node of group) for (const other of this.#serving) if (belong(node, other)) group.add(other);
    return [...group];
  }

  /** Whether the last that the node heard from the other one is that it has left. */
  #hasLeft(other: SimulatedNode, node: SimulatedNode): boolean {
    return this.#simulation.network.lastHeartbeatMs(other.index, node.index) > other.leftMs;
  }

  /** Whether anything that the node hears shows that it is not cut off. */
  hearsAnything(node: SimulatedNode): boolean {
    const { nodes, network, hasGateway, otherDevices } = this.#simulation;
    if (otherDevices !== "silent" && network.isOpen(device, node.index)) return true;
    if (hasGateway && network.isOpen(gateway, node.index) && network.isOpen(node.index, gateway)) return true;
    // Of a node whose speaker is dead, the kernel answers. That of one that has left is not asked: it is probably switched off.
    return nodes.some((other) => {
      if (!this.areConcerned(node, other)) return false;
      return (
        (this.live.includes(other) && network.isOpen(other.index, node.index)) ||
        (other.isOn && !this.#hasLeft(other, node) && this.areOpen(node, other))
      );
    });
  }
}
