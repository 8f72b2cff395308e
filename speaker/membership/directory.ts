import { Rings } from "./rings.ts";
import type { MembershipPeer } from "./stake.ts";

/** All nodes that send heartbeats, the own one among them. Does not change. */
export class Directory {
  readonly #peers: ReadonlyMap<string, MembershipPeer>;
  readonly #rings: Rings;

  /** `node`: the own one, which may be missing in `peers`. */
  constructor(peers: readonly MembershipPeer[], node: string) {
    this.#peers = new Map(peers.map((peer) => [peer.node, peer]));
    this.#rings = new Rings([...this.#peers.keys(), node]);
  }

  get(node: string): MembershipPeer | undefined {
    return this.#peers.get(node);
  }

  /** The nodes that watch this one because they are next to it on a ring. */
  neighboursOf(node: string): ReadonlySet<string> {
    return this.#rings.neighboursOf(node);
  }
}
