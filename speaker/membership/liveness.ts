import { type Answer, type NodeState, type Notice, neverMs } from "../../src/heartbeat/messages.ts";
import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { Timers } from "./timers.ts";
import { deadAfter, dubiousAfter, speakerDeadAfter, suspectedAfter } from "./timing.ts";
import type { Witnesses } from "./witnesses.ts";

/** How many addresses of a silent peer are tried. */
const maxTriedAddresses = 3;

/** For how many intervals a peer must have said that it does not hear this node. */
const unheardAfter = 2;

/** Between two requests to the kernel of a dead node, which may have returned without its speaker. */
const deadNodeMs = 1000;

export interface LivenessParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly effects: EffectQueue;
  readonly heartbeats: Heartbeats;
  readonly witnesses: Witnesses;
  readonly connection: Connection;
  readonly notices: NoticeBoard;
  /** Addresses that the peer announces. */
  readonly heldBy: (node: string) => Iterable<string>;
  /** The peer is alive, or no longer: decide again about what it announces. */
  readonly changed: (peer: PeerState) => void;
  /** The peer is heard again after a silence. */
  readonly returned: (peer: PeerState) => void;
  /** The time that the peer needs for a restart is over. */
  readonly restartOver: (peer: PeerState) => void;
  /** This node hears nothing at all, or (`unheard`) no node hears it. */
  readonly isolate: (unheard: boolean) => void;
  /** Nothing was heard of the peer for a long time, and it is of no interest. */
  readonly forget: (peer: PeerState) => void;
}

/** Decides which peers are alive. */
export class Liveness {
  readonly #parts: LivenessParts;
  readonly #watches = new Timers<PeerState>();

  constructor(parts: LivenessParts) {
    this.#parts = parts;
  }

  get nextDueMs(): number {
    return this.#watches.nextMs;
  }

  /** A message of the peer arrived. */
  heard(peer: PeerState): void {
    const { own, witnesses, effects, changed, returned } = this.#parts;
    if (own.nowMs - peer.heardMs > this.#suspectedMs(peer)) returned(peer);
    peer.heardMs = own.nowMs;
    peer.suspicion = undefined;
    witnesses.heard(peer.node);
    if (peer.status !== "alive") {
      if (peer.status === "dead") effects.report({ kind: "peerUp", node: peer.node });
      this.#revive(peer);
      changed(peer);
    }
    this.#watches.setEarlier(peer, own.nowMs + this.#suspectedMs(peer));
  }

  /** Something that decides when the peer is looked at has changed. */
  watch(peer: PeerState): void {
    this.#watches.setEarlier(peer, this.#parts.own.nowMs);
  }

  advance(): void {
    for (const peer of this.#watches.takeAllDue(this.#parts.own.nowMs)) this.#check(peer);
  }

  /** The thread did not run, or the node was cut off: silence until now does not count. */
  grantGrace(): void {
    const { own, peers } = this.#parts;
    for (const peer of peers.all) {
      if (!peer.isAlive) continue;
      peer.vouchedMs = own.nowMs;
      peer.suspicion = undefined;
      this.#watches.set(peer, own.nowMs + this.#suspectedMs(peer));
    }
  }

  answered(from: string, { about, silentMs, tried }: Answer): void {
    const { own, peers } = this.#parts;
    const peer = peers.get(about);
    const suspicion = peer?.suspicion;
    if (peer === undefined || suspicion === undefined || !suspicion.asked.has(from)) return;
    suspicion.answered.add(from);
    // One that never heard it does not know.
    if (tried && silentMs !== neverMs) suspicion.silent.add(from);
    else if (silentMs !== neverMs && own.nowMs - silentMs > peer.vouchedMs) {
      peer.vouchedMs = own.nowMs - silentMs;
      peer.voucher = from;
    }
    this.#check(peer);
  }

  nodeAnswered(node: string): void {
    const { own, peers, notices } = this.#parts;
    const peer = peers.get(node);
    if (peer?.suspicion !== undefined) peer.suspicion.nodeAnswered = true;
    const notice = notices.get(node);
    if (peer?.status !== "dead" || !peer.nodeDead || notice === undefined) return;
    if (own.nowMs > peer.heardMs) this.noticed(own.node, { ...notice, state: "speakerDown" });
  }

  announcementAnswered(node: string): void {
    const { own, peers } = this.#parts;
    const peer = peers.get(node);
    if (peer?.isAlive !== true) return;
    peer.vouchedMs = own.nowMs;
    this.#check(peer);
  }

  /** Another node says what became of a third one. */
  noticed(from: string, notice: Notice): void {
    const { own, peers, notices, effects, changed } = this.#parts;
    const before = notices.get(notice.node);
    if (!notices.publish(notice)) return;
    const { node, state } = notice;
    const peer = peers.get(node);
    const nodeDead = state === "nodeDead";
    if (peer === undefined || peer.status === "left" || peer.status === "unheard") {
      if (peer?.status === "unheard" && state !== "alive") peer.status = "dead";
      if (peer !== undefined) peer.nodeDead = nodeDead;
      if (state !== "alive") effects.report({ kind: "peerDown", node, nodeDead });
      else if (before !== undefined && before.state !== "alive") effects.report({ kind: "peerUp", node });
      if (peer !== undefined) changed(peer);
      return;
    }
    if (state === "alive") {
      if (peer.status !== "dead") return;
      peer.vouchedMs = own.nowMs;
      peer.voucher = from;
      effects.report({ kind: "peerUp", node });
      this.#revive(peer);
      this.watch(peer);
      changed(peer);
    } else if (peer.status === "dead") {
      if (peer.nodeDead === nodeDead) return;
      peer.nodeDead = nodeDead;
      effects.report({ kind: "peerDown", node, nodeDead });
    } else if (peer.beat !== undefined && peer.beat.incarnation > notice.incarnation) {
      notices.publish({ node, incarnation: peer.beat.incarnation, state: "alive" });
    } else {
      peer.startSuspicion(own.nowMs).accused = state;
      this.#check(peer);
    }
  }

  /** Never now or before: the sum of two times may be rounded down, and the peer would be due again and again within one turn. */
  #watchAt(peer: PeerState, atMs: number): void {
    this.#watches.set(peer, Math.max(atMs, this.#parts.own.nowMs + 1));
  }

  #check(peer: PeerState): void {
    const { own, effects, forget, restartOver } = this.#parts;
    const { nowMs, timing } = own;
    const lastMs = Math.max(peer.heardMs, peer.vouchedMs);
    if (peer.restartUntilMs > nowMs && peer.beat?.phase === "restarting") {
      peer.suspicion = undefined;
      this.#watchAt(peer, peer.restartUntilMs);
      return;
    }
    if (peer.restartUntilMs <= nowMs && peer.restartUntilMs > Number.NEGATIVE_INFINITY) {
      peer.restartUntilMs = Number.NEGATIVE_INFINITY;
      restartOver(peer);
    }
    if (!peer.isOfInterest) {
      if (nowMs - lastMs < timing.forgetMs) this.#watchAt(peer, lastMs + timing.forgetMs);
      else forget(peer);
      return;
    }
    if (peer.status === "dead") {
      if (!peer.nodeDead || !peer.onLan) return;
      effects.add({ kind: "askNode", node: peer.node });
      this.#watchAt(peer, nowMs + deadNodeMs);
      return;
    }
    if (!peer.isAlive) return;
    const suspectedMs = this.#suspectedMs(peer);
    const isAccused = peer.suspicion?.accused !== undefined;
    if (nowMs - lastMs < (isAccused ? 0 : suspectedMs)) {
      peer.suspicion = undefined;
      this.#watchAt(peer, lastMs + suspectedMs);
      return;
    }
    const intervalMs = peer.intervalMs(timing.heartbeatMs);
    const suspicion = peer.startSuspicion(nowMs);
    if (this.#isDead(peer, suspicion, nowMs - lastMs, intervalMs)) this.#die(peer, suspicion);
    else if (peer.suspicion === suspicion) this.#pursue(peer, suspicion, lastMs + deadAfter * intervalMs);
  }

  #isDead(peer: PeerState, suspicion: Suspicion, silenceMs: number, intervalMs: number): boolean {
    const { own, connection } = this.#parts;
    const { accused, silent, nodeAnswered, sinceMs } = suspicion;
    if (accused !== undefined && silenceMs >= dubiousAfter * intervalMs) return true;
    const limitMs = (nodeAnswered ? speakerDeadAfter : deadAfter) * intervalMs;
    if (silenceMs < limitMs) return false;
    if (silent.size > 0) return true;
    // No witness has answered: is it this node that is cut off?
    const { witnessMs } = own.timing;
    const hasOther = this.#hasOther(peer);
    // A peer that did not hear this node for a while stops for that reason: that others are heard does not mean that they hear this node.
    // Not if it said so for a moment only: its clock may have been wrong, and that was the last that was heard of it.
    const isUnheard = peer.heardMs - peer.unheardSinceMs >= unheardAfter * intervalMs;
    const isConnected = isUnheard ? connection.answeredSince(sinceMs) : connection.heardSince(sinceMs);
    if (nodeAnswered || isConnected || this.#hearsOther(peer, sinceMs)) {
      return !this.#awaitsWitness(suspicion) || silenceMs >= limitMs + witnessMs;
    }
    if (!isUnheard && !connection.hasGateway && !hasOther) return silenceMs >= limitMs + 2 * witnessMs;
    if (!own.isolated && suspicion.rounds > 1 && this.#hearsNone()) this.#parts.isolate(isUnheard);
    return false;
  }

  /** Tries to hear from the peer or about it, as long as its death is open. */
  #pursue(peer: PeerState, suspicion: Suspicion, deadMs: number): void {
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
    const nextMs = suspicion.triedMs + paceMs;
    this.#watchAt(peer, deadMs > nowMs ? Math.min(deadMs, nextMs) : nextMs);
  }

  #die(peer: PeerState, { accused, nodeAsked, nodeAnswered }: Suspicion): void {
    const { effects, notices, changed } = this.#parts;
    const state: NodeState = accused ?? (nodeAsked >= 2 && !nodeAnswered ? "nodeDead" : "speakerDown");
    peer.status = "dead";
    peer.suspicion = undefined;
    peer.nodeDead = state === "nodeDead";
    notices.publish({ node: peer.node, incarnation: peer.beat?.incarnation ?? 0, state });
    effects.report({ kind: "peerDown", node: peer.node, nodeDead: peer.nodeDead });
    if (peer.nodeDead) this.#watchAt(peer, this.#parts.own.nowMs + deadNodeMs);
    changed(peer);
  }

  #revive(peer: PeerState): void {
    this.#parts.returned(peer);
    peer.status = "alive";
    peer.nodeDead = false;
    peer.suspicion = undefined;
  }

  /** After this silence it is suspected. */
  #suspectedMs(peer: PeerState): number {
    return suspectedAfter * peer.intervalMs(this.#parts.own.timing.heartbeatMs);
  }

  #hearsOther(peer: PeerState, sinceMs: number): boolean {
    for (const other of this.#parts.peers.active) if (other !== peer && other.heardMs > sinceMs) return true;
    return false;
  }

  /** A node that was questioned has not answered, and may do so: it is not known to be silent itself. */
  #awaitsWitness({ asked, answered }: Suspicion): boolean {
    const { own, peers } = this.#parts;
    for (const node of asked) {
      const witness = peers.get(node);
      if (answered.has(node)) continue;
      if (witness === undefined) return true;
      if (witness.isAlive && own.nowMs - witness.heardMs < this.#suspectedMs(witness)) return true;
    }
    return false;
  }

  #hasOther(peer: PeerState): boolean {
    for (const other of this.#parts.peers.active) if (other !== peer && other.isAlive) return true;
    return false;
  }

  /** All peers that are alive are suspected. */
  #hearsNone(): boolean {
    const { own, peers } = this.#parts;
    for (const peer of peers.active) {
      if (peer.isAlive && own.nowMs - peer.heardMs < this.#suspectedMs(peer)) return false;
    }
    return true;
  }
}
