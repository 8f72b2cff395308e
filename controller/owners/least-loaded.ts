import { rankFrom } from "../../src/placement/rank.ts";
import { ringOf } from "./candidate-ring.ts";
import type { OwnerCounts } from "./owner-counts.ts";

/**
 * Picks the node with the fewest addresses for one address after the other, without looking at all nodes each time. Counts may only grow
 * meanwhile. Of several nodes it picks the one with the highest rank for the address.
 */
export class LeastLoaded {
  readonly #nodes: readonly string[];
  readonly #seeds: readonly number[];
  readonly #counts: OwnerCounts;
  /** Indices of the nodes that had the fewest addresses. */
  #least: number[] = [];
  #load = 0;

  constructor(nodes: readonly string[], counts: OwnerCounts) {
    this.#nodes = nodes;
    this.#seeds = ringOf(nodes).seeds;
    this.#counts = counts;
  }

  /** The caller counts the address for the node that is returned. Undefined: there are no nodes. */
  pick(address: string): string | undefined {
    while (this.#nodes.length > 0) {
      if (this.#least.length === 0) this.#collect();
      const at = this.#highestRank(address);
      const node = this.#nodes[this.#least[at] as number] as string;
      this.#least.splice(at, 1);
      // It may have got an address since, from another list of nodes.
      if (this.#counts.firstOf(node) === this.#load) return node;
    }
    return undefined;
  }

  #collect(): void {
    const loads = this.#nodes.map((node) => this.#counts.firstOf(node));
    this.#load = loads.reduce((least, load) => Math.min(least, load), Number.POSITIVE_INFINITY);
    this.#least = [...loads.keys()].filter((index) => loads[index] === this.#load);
  }

  /** Its position among the nodes with the fewest addresses. */
  #highestRank(address: string): number {
    const [least, seeds] = [this.#least, this.#seeds];
    let found = 0;
    let highest = -1;
    for (let at = 0; at < least.length; at++) {
      const rank = rankFrom(seeds[least[at] as number] as number, address);
      if (rank <= highest) continue;
      highest = rank;
      found = at;
    }
    return found;
  }
}
