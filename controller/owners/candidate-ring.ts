import { rankFrom, seedOf } from "../../src/placement/rank.ts";

/** A number from 0 up to 2^32. It depends only on the name, so a node that joins or leaves does not move others. */
function placeOf(seed: number): number {
  return rankFrom(seed, "ring");
}

/**
 * The candidates of an address on a ring, ordered by a hash of their names. Nodes that are close on the ring take over each other's
 * addresses. So a node shares owner lists with few others, and one that joins or leaves affects only the nodes around it.
 */
export class CandidateRing {
  /** Sorted by name. */
  readonly nodes: readonly string[];
  /** `seedOf` each node, in the order of `nodes`. */
  readonly seeds: readonly number[];
  /** In the order of the ring. */
  readonly #order: readonly string[];
  readonly #positions: ReadonlyMap<string, number>;

  constructor(nodes: readonly string[]) {
    this.nodes = nodes;
    this.seeds = nodes.map(seedOf);
    const placed = nodes.map((node, index) => ({ node, place: placeOf(this.seeds[index] as number) }));
    placed.sort((left, right) => left.place - right.place || (left.node < right.node ? -1 : 1));
    this.#order = placed.map(({ node }) => node);
    this.#positions = new Map(this.#order.map((node, position) => [node, position]));
  }

  has(node: string): boolean {
    return this.#positions.has(node);
  }

  /** How many steps two nodes are apart on the ring, the shorter way; Infinity where one of them is not on it. */
  distance(left: string, right: string): number {
    const [from, to] = [this.#positions.get(left), this.#positions.get(right)];
    if (from === undefined || to === undefined) return Number.POSITIVE_INFINITY;
    const steps = Math.abs(from - to);
    return Math.min(steps, this.#order.length - steps);
  }

  /** The nodes at most so many steps away, the node itself left out; the nearest first. */
  around(node: string, steps: number): readonly string[] {
    const position = this.#positions.get(node);
    if (position === undefined) return [];
    const size = this.#order.length;
    const found = new Set<string>();
    for (let step = 1; step <= steps && found.size < size - 1; step++) {
      for (const at of [position + step, position - step]) found.add(this.#order[(at + size * step) % size] as string);
      found.delete(node);
    }
    return [...found];
  }
}

const rings = new WeakMap<readonly string[], CandidateRing>();

/** The ring of these nodes, which are sorted by name. Created once per array, because many addresses have the same candidates. */
export function ringOf(nodes: readonly string[]): CandidateRing {
  let ring = rings.get(nodes);
  if (ring === undefined) {
    ring = new CandidateRing(nodes);
    rings.set(nodes, ring);
  }
  return ring;
}
