import type { NodeState, Notice } from "../../src/heartbeat/messages.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { NodeChecks } from "./node-checks.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { dubiousAfter } from "./timing.ts";
import type { Witnesses } from "./witnesses.ts";

export interface StatusChangesParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly effects: EffectQueue;
  readonly witnesses: Witnesses;
  readonly notices: NoticeBoard;
  readonly checks: NodeChecks;
  /** The peer is alive, or no longer: decide again about what it announces. */
  readonly changed: (peer: PeerState) => void;
  /** The peer is heard again after a silence. */
  readonly returned: (peer: PeerState) => void;
  /** This node is not cut off: all others are dead. */
  readonly alone: () => void;
  /** Another node counts the peer as dead: find out whether it is. */
  readonly accused: (peer: PeerState) => void;
  /** Another node hears the peer: look at it again from now on. */
  readonly watch: (peer: PeerState) => void;
}

/** What becomes of peers: one dies, one lives again, or another node says so. Each change is reported, and passed on as a notice. */
export class StatusChanges {
  readonly #parts: StatusChangesParts;

  constructor(parts: StatusChangesParts) {
    this.#parts = parts;
  }

  /** The peer said that it leaves. What is known of its kernel stays: only that can show now that something arrives there. */
  leave(peer: PeerState): void {
    peer.status = "left";
    peer.suspicion = undefined;
    peer.nodeDead ||= peer.isUnreachable;
    peer.isUnreachable = false;
    this.#parts.checks.left(peer);
  }

  /** Its silence is that of a dead one. Returns whether this node has seen by itself that its kernel is silent as well. */
  die(peer: PeerState, { accused, nodeAsked, nodeAnswered }: Suspicion): boolean {
    const { notices, checks, witnesses, changed, alone } = this.#parts;
    const { node } = peer;
    const known = notices.get(node);
    const incarnation = Math.max(peer.beat?.incarnation ?? 0, known?.incarnation ?? 0);
    const isSilent = nodeAsked >= 2 && !nodeAnswered;
    // What this node has seen of the kernel, or else what others have. That it answers does not contradict that no program does.
    const isFrozen = known?.incarnation === incarnation && known.state === "frozen";
    if ((isSilent || nodeAnswered || accused === undefined) && !isFrozen) {
      const seen = known?.incarnation === incarnation ? known.revision : 0;
      notices.publish({
        node,
        incarnation,
        revision: isSilent || nodeAnswered ? Math.max(seen, 1) : seen,
        state: isSilent || (peer.isUnreachable && !nodeAnswered) ? "nodeDead" : "speakerDown",
      });
    }
    peer.status = "dead";
    peer.suspicion = undefined;
    peer.isUnreachable = false;
    const state = notices.get(node)?.state;
    peer.nodeDead = losesRequests(state);
    this.#reportDown(node, state);
    checks.watch(peer, nodeAnswered);
    if (!witnesses.hasOther(peer)) alone();
    changed(peer);
    return isSilent && accused === undefined;
  }

  /** It is heard again. The caller then has its addresses decided. */
  revive(peer: PeerState): void {
    const { effects, notices, checks, returned } = this.#parts;
    const wasDead = peer.status === "dead";
    // It is heard. Whether anything arrives there is another question: its heartbeats will tell.
    const isUnreachable = receivesNothing(notices.get(peer.node)?.state);
    if (wasDead && !isUnreachable) effects.report({ kind: "peerUp", node: peer.node });
    returned(peer);
    peer.status = "alive";
    peer.nodeDead = false;
    peer.isUnreachable = isUnreachable;
    peer.suspicion = undefined;
    checks.watchKernel(peer);
  }

  /** Another node says what became of a third one. What is said of a node that is no longer in the cluster would never be taken back. */
  noticed(from: string, notice: Notice): void {
    const { own, peers, notices, checks, accused } = this.#parts;
    const { node, incarnation, state } = notice;
    if (!peers.isInDirectory(node)) return;
    const before = notices.get(node);
    if (!notices.publish(notice)) {
      notices.correct(from, notice);
      return;
    }
    const peer = peers.get(node);
    if (peer === undefined || peer.status === "left" || peer.status === "unheard") {
      this.#noticedUnheard(peer, notice, before);
      return;
    }
    if (state === "alive") {
      if (peer.isAlive) {
        // This contradicts who counted it as dead.
        if (peer.suspicion !== undefined) peer.suspicion.accused = undefined;
        checks.noteReachability(peer);
        return;
      }
      this.#reviveBy(from, peer);
    } else if (peer.status === "dead") {
      const nodeDead = losesRequests(state);
      if (peer.nodeDead === nodeDead && (state === "frozen") === (before?.state === "frozen")) return;
      peer.nodeDead = nodeDead;
      this.#reportDown(node, state);
      checks.watchPrograms(peer);
    } else if (peer.beat !== undefined && peer.beat.incarnation > incarnation) {
      notices.publish({ node, incarnation: peer.beat.incarnation, revision: 0, state: "alive" });
    } else if (state === "unreachable") {
      checks.noteReachability(peer);
    } else {
      const suspicion = peer.startSuspicion(own.nowMs);
      suspicion.accused = notice;
      // Nothing is expected of one that is of no interest: what others say counts, until it is heard.
      if (peer.isOfInterest || peer.isHeard(dubiousAfter, own)) accused(peer);
      else this.die(peer, suspicion);
    }
  }

  /** Another node hears one that perhaps is gone for this one. */
  heardElsewhere(from: string, node: string): void {
    const { peers, notices } = this.#parts;
    const peer = peers.isInDirectory(node) ? peers.get(node) : undefined;
    // What contradicts its death was lost on the way here.
    if (peer?.status === "dead") notices.tell(from, node);
    // It has started again. Other nodes say nothing of one that leaves and comes back.
    if (peer?.status === "left") this.#reviveBy(from, peer);
  }

  /** The peer is alive, because another node hears it. */
  #reviveBy(from: string, peer: PeerState): void {
    const { own, changed, watch } = this.#parts;
    peer.vouchedMs = own.nowMs;
    peer.voucher = from;
    this.revive(peer);
    watch(peer);
    changed(peer);
  }

  /** A peer that this node has not heard matters from now on: what others said of it before counts. */
  recall(peer: PeerState): void {
    const { notices, checks } = this.#parts;
    const state = notices.get(peer.node)?.state;
    if (peer.status !== "unheard" || state === undefined || state === "alive") return;
    peer.status = "dead";
    peer.nodeDead = losesRequests(state);
    checks.watch(peer);
  }

  /** The notice is about a node that this one does not hear, and perhaps does not know. */
  #noticedUnheard(peer: PeerState | undefined, { node, state }: Notice, before: Notice | undefined): void {
    const { effects, checks, changed } = this.#parts;
    if (peer?.status === "unheard" && state !== "alive") peer.status = "dead";
    if (peer !== undefined) peer.nodeDead = losesRequests(state);
    if (state !== "alive") this.#reportDown(node, state);
    else if (before !== undefined && before.state !== "alive") effects.report({ kind: "peerUp", node });
    if (peer === undefined) return;
    checks.watch(peer);
    changed(peer);
  }

  #reportDown(node: string, state: NodeState | undefined): void {
    const nodeDead = losesRequests(state);
    const frozen = state === "frozen" ? { frozen: true as const } : {};
    this.#parts.effects.report({ kind: "peerDown", node, nodeDead, ...frozen });
  }
}

/** What is sent to pods of a node in this state is lost, or never answered. */
function losesRequests(state: NodeState | undefined): boolean {
  return state === "frozen" || receivesNothing(state);
}

/** Nothing arrives at a node in this state. */
function receivesNothing(state: NodeState | undefined): boolean {
  return state === "nodeDead" || state === "unreachable";
}
