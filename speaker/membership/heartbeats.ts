import { maxUint32, neverMs } from "../../src/heartbeat/messages.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";

/** The time since then as messages have it. */
export function ageOf(thenMs: number, nowMs: number): number {
  return thenMs === Number.NEGATIVE_INFINITY ? neverMs : Math.min(Math.max(Math.round(nowMs - thenMs), 0), neverMs - 1);
}

/**
 * A switch forgets the address of a device after so long without a frame from it, and passes what is sent there to all ports (IEEE 802.1D-2004
 * clause 7.9.2).
 */
const switchForgetsMs = 300_000;

/** Sends heartbeats. */
export class Heartbeats {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #effects: EffectQueue;
  readonly #received: ReceivedClaims;
  readonly #notices: NoticeBoard;
  readonly #hurried = new Set<PeerState>();
  #sequence = 0;

  constructor(own: OwnState, peers: Peers, effects: EffectQueue, received: ReceivedClaims, notices: NoticeBoard) {
    this.#own = own;
    this.#peers = peers;
    this.#effects = effects;
    this.#received = received;
    this.#notices = notices;
  }

  /** The peer receives a heartbeat in this turn. */
  hurry(peer: PeerState): void {
    this.#hurried.add(peer);
  }

  /** Something that all peers should know has changed. */
  hurryAll(): void {
    for (const peer of this.#peers.active) this.#hurried.add(peer);
  }

  /** Sends what is due, at most one heartbeat to each peer. */
  flush(): void {
    for (const peer of this.#hurried) this.send(peer, false);
    this.#hurried.clear();
    for (const peer of this.#peers.takeDueBeats()) this.send(peer, false);
  }

  /** `answer`: the peer should answer at once. */
  send(peer: PeerState, answer: boolean): void {
    const { session, incarnation, health, joined, isolated, onlyAsFirst, phase, timing, nowMs } = this.#own;
    if (!peer.isInDirectory) return;
    this.#hurried.delete(peer);
    this.#peers.restartInterval(peer);
    if (this.#needsFinding(peer)) this.#effects.add({ kind: "findNode", node: peer.node });
    this.#sequence = Math.min(this.#sequence + 1, maxUint32);
    this.#effects.send(peer.node, {
      kind: "heartbeat",
      session,
      sequence: this.#sequence,
      incarnation,
      intervalMs: Math.round(this.#peers.intervalTo(peer)),
      answer,
      wanted: peer.isOfInterest,
      joined,
      isolated,
      onlyAsFirst: joined && onlyAsFirst,
      ipv4: health.ipv4,
      ipv6: health.ipv6,
      phase,
      holdMs: phase === "restarting" ? timing.restartHoldMs : 0,
      peerSession: peer.session,
      heardMs: ageOf(peer.heardMs, nowMs),
      deadIncarnation: this.#notices.deadIncarnation(peer.node),
      claimsVersion: peer.sent.version,
      claimsHave: this.#received.versionOf(peer.node),
    });
  }

  /** The kernels of this node and of the peer may have lost each other. That of a frozen node answers. */
  #needsFinding({ node, status, nodeDead, onLan, heardMs }: PeerState): boolean {
    if (status !== "dead" || !nodeDead || !onLan) return false;
    return this.#own.nowMs - heardMs < switchForgetsMs && this.#notices.get(node)?.state !== "frozen";
  }
}
