import { NameIndex } from "../../../src/index/name-index.ts";
import { compareAddresses, type IpAddress, type IpFamily, virtualIpName } from "../../../src/ip/address.ts";
import { matchesAnySelector } from "../../../src/model/label-selector.ts";
import { compareAge, type Pool } from "../pool/pool.ts";

/** A node as pools of nodes' own addresses see it. */
export interface NodeInfo {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: boolean;
  /** Does not take part in load balancing, or is about to be removed. */
  readonly excluded: boolean;
  /** Of each family those of type ExternalIP, otherwise the one of type InternalIP. */
  readonly addresses: readonly IpAddress[];
}

export interface NodeAddress {
  readonly node: string;
  readonly address: IpAddress;
}

/**
 * Which node has which address, and which pool has which node: the oldest of those whose selectors match. Two Node objects may have one
 * address, as when a machine registers again under another name: it belongs to one of them. Each answer costs O(nodes).
 */
export class NodeAddresses {
  readonly #nodes = new Map<string, NodeInfo>();
  /** Names of the nodes by the name that the VirtualIP of the address has. */
  readonly #byAddress = new NameIndex();
  /** Oldest first. */
  #pools: readonly Pool[] = [];

  setPools(pools: readonly Pool[]): void {
    this.#pools = pools.filter(({ nodes }) => nodes !== undefined).sort(compareAge);
  }

  /** Whether any pool has nodes' own addresses. */
  get hasPools(): boolean {
    return this.#pools.length > 0;
  }

  /** `info` undefined: the node is gone. Returns whether it differs from before. */
  setNode(name: string, info: NodeInfo | undefined): boolean {
    const before = this.#nodes.get(name);
    if (textOf(before) === textOf(info)) return false;
    for (const address of before?.addresses ?? []) this.#byAddress.delete(virtualIpName(address), name);
    if (info === undefined) this.#nodes.delete(name);
    else this.#nodes.set(name, info);
    for (const address of info?.addresses ?? []) this.#byAddress.add(virtualIpName(address), name);
    return true;
  }

  /** Name of the node with the address, if it takes part in load balancing: of several a ready one, then the first by name. */
  nodeAt(address: IpAddress): string | undefined {
    return this.#infoAt(address)?.name;
  }

  /** The pool of the node with the address. */
  poolAt(address: IpAddress): Pool | undefined {
    const info = this.#infoAt(address);
    return info === undefined ? undefined : this.#poolOf(info);
  }

  /**
   * The addresses of the pool's ready nodes. If no node is ready, those of all: then the observation is more likely wrong. With
   * `local` only those of these nodes. Each address once, sorted.
   */
  of(pool: Pool, family: IpFamily, local?: ReadonlySet<string>): readonly NodeAddress[] {
    const members = [...this.#nodes.values()].filter((info) => !info.excluded && this.#poolOf(info) === pool);
    const ready = members.filter((info) => info.ready);
    return (ready.length > 0 ? ready : members)
      .filter(({ name }) => local === undefined || local.has(name))
      .flatMap(({ name, addresses }) => addresses.map((address) => ({ node: name, address })))
      .filter(({ node, address }) => address.family === family && this.nodeAt(address) === node)
      .sort((left, right) => compareAddresses(left.address, right.address));
  }

  #infoAt(address: IpAddress): NodeInfo | undefined {
    const infos = [...this.#byAddress.of(virtualIpName(address))].flatMap((name) => {
      const info = this.#nodes.get(name);
      return info === undefined || info.excluded ? [] : [info];
    });
    if (infos.length < 2) return infos[0];
    return infos.sort(
      (left, right) => Number(right.ready) - Number(left.ready) || (left.name < right.name ? -1 : 1),
    )[0];
  }

  #poolOf({ labels }: NodeInfo): Pool | undefined {
    return this.#pools.find(({ nodes }) => {
      const selectors = nodes?.selectors ?? [];
      return selectors.length === 0 || matchesAnySelector(selectors, labels);
    });
  }
}

function textOf(info: NodeInfo | undefined): string {
  if (info === undefined) return "";
  const { labels, ready, excluded, addresses } = info;
  return JSON.stringify([Object.entries(labels).sort(), ready, excluded, addresses.map(virtualIpName)]);
}
