import type { Heartbeat, Notice } from "../../src/heartbeat/messages.ts";
import type { ClaimsExchange } from "./claims-exchange.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { Liveness } from "./liveness.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import { deadAfter } from "./timing.ts";

export interface HeartbeatReceiverParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly received: ReceivedClaims;
  readonly exchange: ClaimsExchange;
  readonly heartbeats: Heartbeats;
  readonly liveness: Liveness;
  readonly notices: NoticeBoard;
  /** Decide again about what the peer announces. */
  readonly changed: (peer: PeerState) => void;
  /** Decide again about these addresses. */
  readonly lookAt: (addresses: Iterable<string>) => void;
  /** The peer has told how far its claims go. */
  readonly completeClaims: (peer: PeerState) => void;
}

/** After how many intervals without a heartbeat that says so a peer no longer needs those of this node. */
const neededFor = 10;

/** What follows from a heartbeat. */
export class HeartbeatReceiver {
  readonly #parts: HeartbeatReceiverParts;

  constructor(parts: HeartbeatReceiverParts) {
    this.#parts = parts;
  }

  /** Returns false for a heartbeat that is older than one that was received. */
  receive(from: string, beat: Heartbeat): boolean {
    const { own, peers, received, exchange, heartbeats, liveness, notices, changed, lookAt, completeClaims } =
      this.#parts;
    const peer = peers.ensure(from);
    // A late packet of a process that has ended. If the process that counts as the newer one is silent, it is that one which has ended.
    if (beat.session === peer.previousSession && peer.hasBeat(deadAfter, own)) return false;
    const isNew = beat.session !== peer.session;
    if (!isNew && peer.beat !== undefined && beat.sequence <= peer.beat.sequence) return false;
    const before = isNew ? undefined : peer.beat;
    if (isNew) this.#replaceSession(peer, beat);
    peer.beat = beat;
    peer.beatMs = own.nowMs;
    const isUnheard = beat.heardMs > deadAfter * beat.intervalMs;
    const isHeardAgain = !isUnheard && peer.unheardSinceMs <= own.nowMs;
    // Where its thread did not run for a while, the last that it heard seems newer than it is.
    const isBack = before !== undefined && before.deadIncarnation > 0 && beat.deadIncarnation === 0;
    // What was sent meanwhile is lost, and it is perhaps the only one that can contradict.
    if ((isHeardAgain || isBack) && peer.isOfInterest) notices.greet(from);
    peer.unheardSinceMs = isUnheard ? Math.min(peer.unheardSinceMs, own.nowMs) : Number.POSITIVE_INFINITY;
    if (beat.wanted) peer.neededUntilMs = own.nowMs + neededFor * beat.intervalMs;
    peers.update(peer);
    if (beat.phase === "restarting") peer.restartUntilMs = own.nowMs + beat.holdMs;
    if (beat.phase === "left") {
      this.#leave(peer);
      return true;
    }
    liveness.heard(peer);
    this.#refute(peer, beat);
    if (beat.peerSession === own.session) exchange.acknowledged(peer, beat.claimsHave);
    completeClaims(peer);
    if (peer.claimedSince.size > 0 && beat.claimsVersion >= received.versionOf(from)) {
      lookAt(peer.claimedSince);
      peer.claimedSince.clear();
    }
    if (before === undefined || saysOther(beat, before)) changed(peer);
    if (beat.answer) heartbeats.hurry(peer);
    return true;
  }

  /** Another node says what became of one. */
  noticed(from: string, notice: Notice): void {
    const { own, heartbeats, liveness } = this.#parts;
    if (notice.node !== own.node) liveness.noticed(from, notice);
    else if (notice.state !== "alive" && notice.incarnation >= own.incarnation) {
      own.incarnation = notice.incarnation + 1;
      heartbeats.hurryAll();
    }
  }

  #replaceSession(peer: PeerState, beat: Heartbeat): void {
    const { own, received, exchange, heartbeats, notices, lookAt } = this.#parts;
    peer.previousSession = peer.session;
    peer.session = beat.session;
    peer.startedMs = own.nowMs;
    peer.unheardSinceMs = Number.POSITIVE_INFINITY;
    peer.claimedSince.clear();
    if (peer.restartUntilMs > own.nowMs) received.restart(peer.node);
    else lookAt(received.forget(peer.node).keys());
    exchange.restart(peer, 0);
    notices.greet(peer.node);
    heartbeats.hurry(peer);
  }

  #leave(peer: PeerState): void {
    const { received, liveness, changed } = this.#parts;
    if (peer.status === "left") return;
    liveness.left(peer);
    changed(peer);
    received.forget(peer.node);
  }

  /** Makes it known that a node is alive that was counted as dead, and raises the own incarnation where that is this node. */
  #refute(peer: PeerState, { incarnation, deadIncarnation }: Heartbeat): void {
    const { own, heartbeats, notices } = this.#parts;
    if (deadIncarnation >= own.incarnation) {
      own.incarnation = deadIncarnation + 1;
      heartbeats.hurryAll();
    }
    const dead = notices.deadIncarnation(peer.node);
    if (dead > 0 && incarnation > dead && !peer.isUnreachable)
      notices.publish({ node: peer.node, incarnation, revision: 0, state: "alive" });
  }
}

/** Whether decisions about addresses depend on what has changed. */
function saysOther(a: Heartbeat, b: Heartbeat): boolean {
  return a.ipv4 !== b.ipv4 || a.ipv6 !== b.ipv6 || a.isolated !== b.isolated || a.phase !== b.phase;
}
