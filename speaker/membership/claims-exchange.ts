import type { ClaimEntry } from "../../src/heartbeat/messages.ts";
import { NameIndex } from "../../src/index/name-index.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import { Timers } from "./timers.ts";
import { suspectedAfter } from "./timing.ts";

/** Sends each peer the claims of this node that concern it, until it has acknowledged them. */
export class ClaimsExchange {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #effects: EffectQueue;
  readonly #received: ReceivedClaims;
  readonly #entryOf: (address: string) => ClaimEntry;
  /** By node: the addresses whose stakes concern it. */
  readonly #concerns = new NameIndex();
  /** By address that this node holds: nodes that know its claim only because they had one, too. They learn when it ends. */
  readonly #rivals = new NameIndex();
  readonly #ready = new Set<PeerState>();
  readonly #resends = new Timers<PeerState>();

  constructor(
    own: OwnState,
    peers: Peers,
    effects: EffectQueue,
    received: ReceivedClaims,
    entryOf: (address: string) => ClaimEntry,
  ) {
    this.#own = own;
    this.#peers = peers;
    this.#effects = effects;
    this.#received = received;
    this.#entryOf = entryOf;
  }

  get nextDueMs(): number {
    return this.#resends.nextMs;
  }

  /** The claim of this node to the address concerns other nodes than before. `tell`: the new ones should know it now. */
  setConcerned(address: string, before: readonly string[], after: readonly string[], tell: boolean): void {
    for (const node of after) {
      if (before.includes(node)) continue;
      this.#peers.addStake(node);
      this.#concerns.add(node, address);
      if (tell) this.#add(node, address);
    }
    for (const node of before) {
      if (after.includes(node)) continue;
      this.#concerns.delete(node, address);
      this.#peers.removeStake(node);
    }
  }

  /** The claim of this node to the address has changed. Nodes that claim it, too, learn that as well. */
  changed(address: string, concerned: readonly string[]): void {
    for (const node of concerned) this.#add(node, address);
    const isHeld = this.#entryOf(address).state === "held";
    for (const node of new Set([...this.#received.holdersOf(address), ...this.#rivals.of(address)])) {
      if (!concerned.includes(node)) this.#add(node, address);
      if (isHeld) this.#rivals.add(address, node);
      else this.#rivals.delete(address, node);
    }
  }

  /** The peer claims an address that this node holds, and should know of its claim. */
  tell(peer: PeerState, address: string, concerned: readonly string[]): void {
    if (concerned.includes(peer.node)) return;
    this.#rivals.add(address, peer.node);
    this.#add(peer.node, address);
  }

  /** Another process runs on the peer, or it has lost what it knew. `has`: the version that it has. */
  restart(peer: PeerState, has: number): void {
    const addresses = new Set<string>();
    for (const address of this.#concerns.of(peer.node))
      if (this.#entryOf(address).state !== "released") addresses.add(address);
    for (const address of this.#received.heldBy(peer.node)) {
      if (this.#entryOf(address).state !== "held") continue;
      this.#rivals.add(address, peer.node);
      addresses.add(address);
    }
    peer.sent.reset(addresses, has);
    this.#ready.add(peer);
  }

  /** The peer was silent, so what was sent to it is perhaps lost. */
  resend(peer: PeerState): void {
    if (!peer.sent.isPending) return;
    peer.sent.rewind();
    this.#ready.add(peer);
  }

  /** The peer says which version it has. */
  acknowledged(peer: PeerState, version: number): void {
    if (!peer.sent.acknowledge(version)) this.restart(peer, version);
    else if (peer.sent.isReady) this.#ready.add(peer);
  }

  flush(): void {
    const { nowMs, timing } = this.#own;
    for (const peer of this.#resends.takeAllDue(nowMs)) {
      if (!peer.sent.isPending || peer.status === "left") continue;
      const isSilent = nowMs - peer.heardMs > suspectedAfter * peer.intervalMs(timing.heartbeatMs);
      if (isSilent || !peer.isAlive) {
        this.#resends.set(peer, nowMs + timing.heartbeatMs);
        continue;
      }
      this.resend(peer);
    }
    for (const peer of this.#ready) this.#send(peer);
    this.#ready.clear();
  }

  #add(node: string, address: string): void {
    const peer = this.#peers.ensure(node);
    peer.sent.add(address);
    this.#ready.add(peer);
  }

  #send(peer: PeerState): void {
    const { session, nowMs, timing } = this.#own;
    if (!peer.isAlive || peer.session === 0 || !peer.isInDirectory || !peer.sent.isReady) return;
    for (const message of peer.sent.take(session, this.#entryOf)) this.#effects.send(peer.node, message);
    if (peer.sent.isPending) this.#resends.setEarlier(peer, nowMs + timing.resendMs);
  }
}
