import { type Answer, neverMs } from "../../src/heartbeat/messages.ts";
import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { deadAfter, deadTogetherAfter, dubiousAfter, speakerDeadAfter, suspectedAfter } from "./timing.ts";
import type { Witnesses } from "./witnesses.ts";

/** How many addresses of a silent peer are tried. */
const maxTriedAddresses = 3;

/** For how many intervals a peer must have said that it does not hear this node. */
const unheardAfter = 2;

/**
 * For how many intervals nothing must have been heard of a peer before a witness is questioned, so that what it says of a heartbeat of the peer is
 * newer than what this node knows: that heartbeat is not older than suspectedAfter of its intervals, which on rings are up to 2.5 times as long.
 */
const newerAfter = 4;

export interface SilenceParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly effects: EffectQueue;
  readonly heartbeats: Heartbeats;
  readonly witnesses: Witnesses;
  readonly connection: Connection;
  /** Addresses that the peer announces. */
  readonly heldBy: (node: string) => Iterable<string>;
  /** This node hears nothing at all, or (`unheard`) no node hears it. */
  readonly isolate: (unheard: boolean) => void;
  /** Decide again about what the peer announces. */
  readonly changed: (peer: PeerState) => void;
}

/** What the silence of a suspected peer means: that it is dead, that this node is cut off, or nothing yet. And what is tried to find that out. */
export class Silence {
  readonly #parts: SilenceParts;
  /** When a peer died whose kernel was silent as well. */
  #diedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
  }

  /** A peer died whose kernel was silent as well: others that are silent now have probably died with it. */
  nodeDied(): void {
    this.#diedMs = this.#parts.own.nowMs;
  }

  /** `silenceMs`: for how long nothing was heard of the peer. */
  isDeath(peer: PeerState, suspicion: Suspicion, silenceMs: number): boolean {
    const { own, connection, witnesses, isolate } = this.#parts;
    const { accused, silent, nodeAnswered, sinceMs } = suspicion;
    const intervalMs = peer.intervalMs(own.timing.heartbeatMs);
    if (accused !== undefined && silenceMs >= dubiousAfter * intervalMs) return true;
    const isTogether = own.nowMs - this.#diedMs < deadAfter * intervalMs;
    const limitMs = (nodeAnswered ? speakerDeadAfter : isTogether ? deadTogetherAfter : deadAfter) * intervalMs;
    if (silenceMs < limitMs || own.nowMs < sinceMs + own.timing.questionMs) return false;
    if (silent.size > 0) return true;
    // No witness has answered: is it this node that is cut off?
    const { witnessMs } = own.timing;
    const hasOther = witnesses.hasOther(peer);
    // A peer that did not hear this node for a while stops for that reason: that others are heard does not mean that they hear this node.
    const isUnheard = this.#isUnheardBy(peer);
    // After an isolation, what has ended it counts, too: on a quiet LAN nothing else may be heard while the peer is suspected.
    const wasConnected = own.reconnectedMs > peer.heardMs;
    const isConnected = isUnheard
      ? connection.answeredSince(wasConnected ? peer.heardMs : sinceMs)
      : wasConnected || connection.heardSince(sinceMs);
    if (nodeAnswered || isConnected || witnesses.hearsOther(peer, sinceMs)) {
      return !this.#awaitsWitness(suspicion) || silenceMs >= limitMs + witnessMs;
    }
    if (!isUnheard && !connection.hasGateway && !hasOther) return silenceMs >= limitMs + 2 * witnessMs;
    // A peer that is alive and announces something has answered for it by ARP or NDP meanwhile, unless nothing that this node sends arrives.
    const isLong = isUnheard && !connection.hadGateway && silenceMs >= own.timing.unheardDeadMs;
    // But if another one that is silent now heard this node, it is this one that is cut off.
    if (isLong && !this.#isMissed(peer)) return true;
    if (!own.isolated && suspicion.rounds > 1 && this.#hearsNone()) isolate(isUnheard);
    return false;
  }

  /** Tries to hear from the peer or about it, if it is time to. Returns when it is time again. */
  pursue(peer: PeerState, suspicion: Suspicion): number {
    const { own, effects, heartbeats, witnesses, connection, heldBy } = this.#parts;
    const { nowMs, timing } = own;
    const isRecent = nowMs < suspicion.sinceMs + 4 * timing.heartbeatMs;
    const paceMs = isRecent ? timing.retryMs : timing.heartbeatMs;
    if (nowMs >= suspicion.triedMs + paceMs) {
      suspicion.triedMs = nowMs;
      heartbeats.send(peer, true);
      witnesses.question(peer, suspicion);
      connection.ask();
      if (peer.onLan) {
        suspicion.nodeAsked += 1;
        effects.add({ kind: "askNode", node: peer.node });
        const addresses: string[] = [];
        for (const address of heldBy(peer.node)) if (addresses.push(address) === maxTriedAddresses) break;
        if (addresses.length > 0) effects.add({ kind: "askAnnounced", node: peer.node, addresses });
      }
    }
    return suspicion.triedMs + paceMs;
  }

  /** A witness says whether it hears the peer. Returns whether it was asked. */
  witnessAnswered(from: string, peer: PeerState, { silentMs, tried, onlyAsFirst }: Answer): boolean {
    const { own, changed } = this.#parts;
    const { suspicion } = peer;
    if (suspicion === undefined || !suspicion.asked.has(from)) return false;
    suspicion.answered.add(from);
    const isNewer = suspicion.sinceMs - peer.heardMs >= newerAfter * peer.intervalMs(own.timing.heartbeatMs);
    if (isNewer && onlyAsFirst !== undefined && onlyAsFirst !== peer.onlyAsFirst) {
      peer.onlyAsFirst = onlyAsFirst;
      changed(peer);
    }
    // One that never heard it does not know.
    if (tried && silentMs !== neverMs) suspicion.silent.add(from);
    else if (silentMs !== neverMs && own.nowMs - silentMs > peer.vouchedMs) {
      peer.vouchedMs = own.nowMs - silentMs;
      peer.voucher = from;
    }
    return true;
  }

  /** The peer said that it does not hear this node. Not for a moment only: its clock may have been wrong, and that was the last that was heard of it. */
  #isUnheardBy(peer: PeerState): boolean {
    return peer.heardMs - peer.unheardSinceMs >= unheardAfter * peer.intervalMs(this.#parts.own.timing.heartbeatMs);
  }

  /** A peer other than this one is alive, and heard this node when it was heard for the last time. */
  #isMissed(peer: PeerState): boolean {
    for (const other of this.#parts.peers.active)
      if (other !== peer && other.isOfInterest && other.isAlive && !this.#isUnheardBy(other)) return true;
    return false;
  }

  /** A node that was questioned has not answered, and may do so: it is not known to be silent itself. */
  #awaitsWitness({ asked, answered }: Suspicion): boolean {
    const { own, peers } = this.#parts;
    for (const node of asked) {
      if (answered.has(node)) continue;
      const witness = peers.get(node);
      if (witness === undefined || witness.isHeard(suspectedAfter, own)) return true;
    }
    return false;
  }

  /** All peers that are alive are suspected. */
  #hearsNone(): boolean {
    const { own, peers } = this.#parts;
    for (const peer of peers.active) if (peer.isHeard(suspectedAfter, own)) return false;
    return true;
  }
}
