import { rankOf } from "../../src/placement/rank.ts";

/**
 * Remembers which addresses were moved from a node that could announce them to one that is preferred, because of its endpoints or by an
 * advertisement, and that has not announced them since. Where the speakers leave such an address to another node, it is not moved a second time for
 * the same reason: that would interrupt connections again and again.
 */
export class PreferredMoves {
  /** By name of the VirtualIP: the node that it was moved to, and a number made from all preferred nodes. */
  readonly #moves = new Map<string, { readonly to: string; readonly preferred: number }>();

  /** The move was written. */
  record(name: string, to: string, preferred: ReadonlySet<string>): void {
    this.#moves.set(name, { to, preferred: numberOf(preferred) });
  }

  /** Whether the address was moved to one of the same nodes before, in vain. */
  has(name: string, preferred: ReadonlySet<string>): boolean {
    const move = this.#moves.get(name);
    return move !== undefined && move.preferred === numberOf(preferred);
  }

  /** The node announces the address. */
  announced(name: string, node: string): void {
    if (this.#moves.get(name)?.to === node) this.#moves.delete(name);
  }

  forget(name: string): void {
    this.#moves.delete(name);
  }

  /** Call it when nodes have changed: what kept the preferred node from announcing may be over. */
  clear(): void {
    this.#moves.clear();
  }
}

function numberOf(nodes: ReadonlySet<string>): number {
  return rankOf([...nodes].sort().join(), "");
}
