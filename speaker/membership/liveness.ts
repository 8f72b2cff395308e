import type { Answer, Notice, Question } from "../../src/heartbeat/messages.ts";
import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { ProgramsAnswer } from "./inputs.ts";
import { NodeChecks } from "./node-checks.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { Silence } from "./silence.ts";
import { StatusChanges } from "./status-changes.ts";
import { Timers } from "./timers.ts";
import { deadAfter, suspectedAfter } from "./timing.ts";
import type { Witnesses } from "./witnesses.ts";

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
  /** It is not cut off: all others are dead. */
  readonly alone: () => void;
  /** Nothing was heard of the peer for a long time, and it is of no interest. */
  readonly forget: (peer: PeerState) => void;
}

/** Decides which peers are alive: looks at each when it is due, and passes what is learned of it to the parts that know what that means. */
export class Liveness {
  readonly #parts: LivenessParts;
  readonly #watches = new Timers<PeerState>();
  readonly #checks: NodeChecks;
  readonly #silence: Silence;
  readonly #changes: StatusChanges;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
    this.#checks = new NodeChecks({ ...parts, found: (notice) => this.noticed(parts.own.node, notice) });
    this.#silence = new Silence(parts);
    this.#changes = new StatusChanges({
      ...parts,
      checks: this.#checks,
      accused: (peer) => this.#check(peer),
      watch: (peer) => this.watch(peer),
    });
  }

  get nextDueMs(): number {
    return Math.min(this.#watches.nextMs, this.#checks.nextDueMs);
  }

  /** A message of the peer arrived. */
  heard(peer: PeerState): void {
    const { own, witnesses, changed, returned } = this.#parts;
    if (own.nowMs - peer.heardMs > this.#suspectedMs(peer)) returned(peer);
    peer.heardMs = own.nowMs;
    peer.onlyAsFirst = false;
    peer.suspicion = undefined;
    witnesses.heard(peer.node);
    if (peer.status !== "alive") {
      this.#changes.revive(peer);
      changed(peer);
    }
    this.#checks.watchPrograms(peer);
    this.#checks.noteReachability(peer);
    this.#watches.setEarlier(peer, own.nowMs + this.#suspectedMs(peer));
  }

  /** A stake concerns the peer from now on. */
  concerned(peer: PeerState): void {
    this.#changes.recall(peer);
    // Nothing was expected of one that was of no interest: its silence begins now.
    if (peer.isAlive && !peer.isNeighbour) {
      // Nor was it sent heartbeats: that it did not hear this node says nothing.
      peer.unheardSinceMs = Number.POSITIVE_INFINITY;
      this.#excuse(peer);
    } else this.watch(peer);
  }

  /** The peer said that it leaves. */
  left(peer: PeerState): void {
    this.#changes.leave(peer);
  }

  /** Something that decides when the peer is looked at has changed. */
  watch(peer: PeerState): void {
    this.#watches.setEarlier(peer, this.#parts.own.nowMs);
  }

  advance(): void {
    for (const peer of this.#watches.takeAllDue(this.#parts.own.nowMs)) this.#check(peer);
    this.#checks.advance();
  }

  /** The thread did not run, or the node was cut off: silence until now does not count. */
  grantGrace(): void {
    this.#checks.grantGrace();
    for (const peer of this.#parts.peers.all) if (peer.isAlive) this.#excuse(peer);
  }

  /** Another node answers a question about a peer. */
  answered(from: string, answer: Answer): void {
    const peer = this.#parts.peers.get(answer.about);
    if (answer.of !== "speaker") this.#checks.witnessAnswered(from, answer);
    else if (peer !== undefined && this.#silence.witnessAnswered(from, peer, answer)) this.#check(peer);
  }

  /** The kernel of the node answered ARP or NDP. */
  nodeAnswered(node: string): void {
    const { peers, witnesses } = this.#parts;
    const peer = peers.get(node);
    if (peer?.suspicion !== undefined) {
      peer.suspicion.nodeAnswered = true;
      this.#checks.watchPrograms(peer);
    }
    witnesses.nodeAnswered(node);
    this.#checks.kernelAnswered(node);
  }

  programsAnswered(node: string, askedMs: number, answer: ProgramsAnswer): void {
    this.#checks.programsAnswered(node, askedMs, answer);
  }

  programsQuestioned(from: string, question: Question): void {
    this.#checks.programsQuestioned(from, question);
  }

  /** The node answers for an address that it announces, so its speaker runs. */
  announcementAnswered(node: string): void {
    const { own, peers } = this.#parts;
    const peer = peers.get(node);
    if (peer?.isAlive !== true) return;
    peer.vouchedMs = own.nowMs;
    this.#check(peer);
  }

  /** Another node says what became of a third one. */
  noticed(from: string, notice: Notice): void {
    this.#changes.noticed(from, notice);
  }

  /** Another node hears this one. */
  heardElsewhere(from: string, node: string): void {
    this.#changes.heardElsewhere(from, node);
  }

  /** Its silence until now does not count. */
  #excuse(peer: PeerState): void {
    const { nowMs } = this.#parts.own;
    peer.vouchedMs = nowMs;
    peer.onlyAsFirst = false;
    peer.suspicion = undefined;
    this.#watches.set(peer, nowMs + this.#suspectedMs(peer));
  }

  /** Never now or before: the sum of two times may be rounded down, and the peer would be due again and again within one turn. */
  #watchAt(peer: PeerState, atMs: number): void {
    this.#watches.set(peer, Math.max(atMs, this.#parts.own.nowMs + 1));
  }

  #check(peer: PeerState): void {
    const { own, forget, restartOver } = this.#parts;
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
    if (!peer.isAlive) {
      this.#checks.watch(peer);
      return;
    }
    const suspectedMs = this.#suspectedMs(peer);
    const isAccused = peer.suspicion?.accused !== undefined;
    if (nowMs - lastMs < (isAccused ? 0 : suspectedMs)) {
      peer.suspicion = undefined;
      this.#checks.watchPrograms(peer);
      this.#watchAt(peer, lastMs + suspectedMs);
      return;
    }
    this.#checkSilent(peer, lastMs);
  }

  /** Nothing was heard of the peer since then. */
  #checkSilent(peer: PeerState, lastMs: number): void {
    const { nowMs, timing, isLate } = this.#parts.own;
    const suspicion = peer.startSuspicion(nowMs);
    const isDead = this.#silence.isDeath(peer, suspicion, nowMs - lastMs);
    if (isDead && (!isLate || suspicion.isPutOff)) {
      this.#die(peer, suspicion);
      return;
    }
    if (peer.suspicion !== suspicion) return;
    suspicion.isPutOff = isDead;
    const deadMs = isDead ? nowMs + timing.lateMs : lastMs + deadAfter * peer.intervalMs(timing.heartbeatMs);
    const againMs = this.#silence.pursue(peer, suspicion);
    this.#watchAt(peer, deadMs > nowMs ? Math.min(deadMs, againMs) : againMs);
  }

  /** What perhaps died together with it is looked at in the next turn, too. */
  #die(peer: PeerState, suspicion: Suspicion): void {
    if (!this.#changes.die(peer, suspicion)) return;
    this.#silence.nodeDied();
    for (const other of this.#parts.peers.active) if (other.suspicion !== undefined) this.watch(other);
  }

  /** After this silence it is suspected. */
  #suspectedMs(peer: PeerState): number {
    return suspectedAfter * peer.intervalMs(this.#parts.own.timing.heartbeatMs);
  }
}
