import { type Answer, type NodeState, type Notice, neverMs, type Question } from "../../src/heartbeat/messages.ts";
import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { ProgramsAnswer } from "./inputs.ts";
import { KernelChecks } from "./kernel-checks.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState, Suspicion } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { ProgramChecks } from "./program-checks.ts";
import { Timers } from "./timers.ts";
import { deadAfter, deadTogetherAfter, dubiousAfter, speakerDeadAfter, suspectedAfter } from "./timing.ts";
import type { Witnesses } from "./witnesses.ts";

/** How many addresses of a silent peer are tried. */
const maxTriedAddresses = 3;

/** For how many intervals a peer must have said that it does not hear this node. */
const unheardAfter = 2;

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

/** Decides which peers are alive. */
export class Liveness {
  readonly #parts: LivenessParts;
  readonly #watches = new Timers<PeerState>();
  readonly #kernels: KernelChecks;
  readonly #programs: ProgramChecks;
  /** When a peer died whose kernel was silent as well. */
  #diedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
    this.#kernels = new KernelChecks({
      ...parts,
      silent: (peer, answeredBefore) => this.#kernelSilent(peer, answeredBefore),
      answered: (peer) => this.#kernelAnswered(peer),
    });
    this.#programs = new ProgramChecks({
      ...parts,
      frozen: (peer) => this.#programsSilent(peer),
      thawed: (peer) => this.#speakerAloneDead(peer),
    });
  }

  get nextDueMs(): number {
    return Math.min(this.#watches.nextMs, this.#kernels.nextDueMs, this.#programs.nextDueMs);
  }

  /** A message of the peer arrived. */
  heard(peer: PeerState): void {
    const { own, witnesses, changed, returned } = this.#parts;
    if (own.nowMs - peer.heardMs > this.#suspectedMs(peer)) returned(peer);
    peer.heardMs = own.nowMs;
    peer.suspicion = undefined;
    witnesses.heard(peer.node);
    if (peer.status !== "alive") {
      this.#revive(peer);
      changed(peer);
    }
    this.#programs.watch(peer);
    this.#noteReachability(peer);
    this.#watches.setEarlier(peer, own.nowMs + this.#suspectedMs(peer));
  }

  /**
   * The peer said that it leaves, so its programs run. What is known of its kernel stays: only that can show now that something arrives there.
   */
  left(peer: PeerState): void {
    peer.status = "left";
    peer.suspicion = undefined;
    peer.nodeDead ||= peer.isUnreachable;
    peer.isUnreachable = false;
    this.#kernels.watch(peer);
    if (this.#parts.notices.get(peer.node)?.state === "frozen") this.#speakerAloneDead(peer);
  }

  /** Something that decides when the peer is looked at has changed. */
  watch(peer: PeerState): void {
    this.#watches.setEarlier(peer, this.#parts.own.nowMs);
  }

  advance(): void {
    for (const peer of this.#watches.takeAllDue(this.#parts.own.nowMs)) this.#check(peer);
    this.#kernels.advance();
    this.#programs.advance();
  }

  /** The thread did not run, or the node was cut off: silence until now does not count. */
  grantGrace(): void {
    const { own, peers } = this.#parts;
    this.#kernels.grantGrace();
    this.#programs.grantGrace();
    for (const peer of peers.all) {
      if (!peer.isAlive) continue;
      peer.vouchedMs = own.nowMs;
      peer.suspicion = undefined;
      this.#watches.set(peer, own.nowMs + this.#suspectedMs(peer));
    }
  }

  answered(from: string, answer: Answer): void {
    const { own, peers } = this.#parts;
    const { about, silentMs, tried } = answer;
    if (answer.of === "kernel") {
      this.#kernels.witnessAnswered(from, answer);
      return;
    }
    if (answer.of === "programs") {
      this.#programs.witnessAnswered(from, answer);
      return;
    }
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
    const { peers, witnesses } = this.#parts;
    const peer = peers.get(node);
    if (peer?.suspicion !== undefined) {
      peer.suspicion.nodeAnswered = true;
      this.#programs.watch(peer);
    }
    witnesses.nodeAnswered(node);
    this.#kernels.nodeAnswered(node);
  }

  programsAnswered(node: string, askedMs: number, answer: ProgramsAnswer): void {
    this.#programs.answered(node, askedMs, answer);
  }

  programsQuestioned(from: string, question: Question): void {
    this.#programs.questioned(from, question);
  }

  announcementAnswered(node: string): void {
    const { own, peers } = this.#parts;
    const peer = peers.get(node);
    if (peer?.isAlive !== true) return;
    peer.vouchedMs = own.nowMs;
    this.#check(peer);
  }

  /** Another node says what became of a third one. What is said of a node that is no longer in the cluster would never be taken back. */
  noticed(from: string, notice: Notice): void {
    const { own, peers, notices, effects, changed } = this.#parts;
    if (!peers.isInDirectory(notice.node)) return;
    const before = notices.get(notice.node);
    if (!notices.publish(notice)) return;
    const { node, state } = notice;
    const peer = peers.get(node);
    const nodeDead = losesRequests(state);
    if (peer === undefined || peer.status === "left" || peer.status === "unheard") {
      if (peer?.status === "unheard" && state !== "alive") peer.status = "dead";
      if (peer !== undefined) peer.nodeDead = nodeDead;
      if (state !== "alive") this.#reportDown(node, state);
      else if (before !== undefined && before.state !== "alive") effects.report({ kind: "peerUp", node });
      if (peer !== undefined) {
        this.#watchNode(peer);
        changed(peer);
      }
      return;
    }
    if (state === "alive") {
      if (peer.isAlive) {
        this.#noteReachability(peer);
        return;
      }
      peer.vouchedMs = own.nowMs;
      peer.voucher = from;
      this.#revive(peer);
      this.watch(peer);
      changed(peer);
    } else if (peer.status === "dead") {
      if (peer.nodeDead === nodeDead) return;
      peer.nodeDead = nodeDead;
      this.#reportDown(node, state);
      this.#programs.watch(peer);
    } else if (peer.beat !== undefined && peer.beat.incarnation > notice.incarnation) {
      notices.publish({ node, incarnation: peer.beat.incarnation, revision: 0, state: "alive" });
    } else if (state === "unreachable") {
      this.#noteReachability(peer);
    } else {
      peer.startSuspicion(own.nowMs).accused = notice;
      this.#check(peer);
    }
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
      this.#watchNode(peer);
      return;
    }
    const suspectedMs = this.#suspectedMs(peer);
    const isAccused = peer.suspicion?.accused !== undefined;
    if (nowMs - lastMs < (isAccused ? 0 : suspectedMs)) {
      peer.suspicion = undefined;
      this.#programs.watch(peer);
      this.#watchAt(peer, lastMs + suspectedMs);
      return;
    }
    const intervalMs = peer.intervalMs(timing.heartbeatMs);
    const suspicion = peer.startSuspicion(nowMs);
    const isDead = this.#isDead(peer, suspicion, nowMs - lastMs, intervalMs);
    if (isDead && (!own.isLate || suspicion.isPutOff)) {
      this.#die(peer, suspicion);
      return;
    }
    if (peer.suspicion !== suspicion) return;
    suspicion.isPutOff = isDead;
    this.#pursue(peer, suspicion, isDead ? nowMs + timing.lateMs : lastMs + deadAfter * intervalMs);
  }

  #isDead(peer: PeerState, suspicion: Suspicion, silenceMs: number, intervalMs: number): boolean {
    const { own, connection } = this.#parts;
    const { accused, silent, nodeAnswered, sinceMs } = suspicion;
    if (accused !== undefined && silenceMs >= dubiousAfter * intervalMs) return true;
    const isTogether = own.nowMs - this.#diedMs < deadAfter * intervalMs;
    const limitMs = (nodeAnswered ? speakerDeadAfter : isTogether ? deadTogetherAfter : deadAfter) * intervalMs;
    if (silenceMs < limitMs || own.nowMs < sinceMs + own.timing.questionMs) return false;
    if (silent.size > 0) return true;
    // No witness has answered: is it this node that is cut off?
    const { witnessMs } = own.timing;
    const hasOther = this.#parts.witnesses.hasOther(peer);
    // A peer that did not hear this node for a while stops for that reason: that others are heard does not mean that they hear this node.
    // Not if it said so for a moment only: its clock may have been wrong, and that was the last that was heard of it.
    const isUnheard = peer.heardMs - peer.unheardSinceMs >= unheardAfter * intervalMs;
    const isConnected = isUnheard ? connection.answeredSince(sinceMs) : connection.heardSince(sinceMs);
    if (nodeAnswered || isConnected || this.#parts.witnesses.hearsOther(peer, sinceMs)) {
      return !this.#awaitsWitness(suspicion) || silenceMs >= limitMs + witnessMs;
    }
    if (!isUnheard && !connection.hasGateway && !hasOther) return silenceMs >= limitMs + 2 * witnessMs;
    // A peer that is alive and announces something has answered for it by ARP or NDP meanwhile, unless nothing that this node sends arrives.
    if (isUnheard && !connection.hadGateway && silenceMs >= own.timing.unheardDeadMs) return true;
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
    const { own, peers, notices, changed, alone } = this.#parts;
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
    this.#watchNode(peer, nodeAnswered);
    if (!this.#parts.witnesses.hasOther(peer)) alone();
    changed(peer);
    if (!isSilent || accused !== undefined) return;
    this.#diedMs = own.nowMs;
    for (const other of peers.active) if (other.suspicion !== undefined) this.watch(other);
  }

  /** The kernel of a dead peer is silent, or that of one that says that it hears nothing. */
  #kernelSilent(peer: PeerState, answeredBefore: boolean): void {
    const { own, notices } = this.#parts;
    const { node, beat } = peer;
    const known = notices.get(node);
    if (peer.status === "dead") {
      // Others say that it answers them, and this node has never seen that.
      if (known === undefined || (known.revision > 0 && !answeredBefore)) return;
      const revision = notices.nextRevision(node, known.incarnation, true);
      if (revision !== undefined) this.noticed(own.node, { ...known, revision, state: "nodeDead" });
    } else if (peer.isAlive && beat?.isolated === true) {
      const revision = notices.nextRevision(node, beat.incarnation, true);
      if (revision !== undefined) {
        this.noticed(own.node, { node, incarnation: beat.incarnation, revision, state: "unreachable" });
      }
    }
  }

  #kernelAnswered(peer: PeerState): void {
    const { own, notices } = this.#parts;
    if (peer.isUnreachable) this.#reachedAgain(peer);
    else if (notices.get(peer.node)?.state !== "frozen" && own.nowMs > peer.heardMs) this.#speakerAloneDead(peer);
  }

  /** Its kernel or its programs answer, so that the rest of the node may be well. */
  #speakerAloneDead(peer: PeerState): void {
    const { own, notices } = this.#parts;
    const notice = notices.get(peer.node);
    if (peer.isGone && peer.nodeDead && notice !== undefined)
      this.noticed(own.node, { ...notice, state: "speakerDown" });
  }

  /** The peer is dead, its kernel answers, and no program there does. */
  #programsSilent(peer: PeerState): void {
    const { own, notices } = this.#parts;
    const known = notices.get(peer.node);
    if (peer.status !== "dead" || known?.state !== "speakerDown") return;
    const revision = notices.nextRevision(peer.node, known.incarnation, true);
    if (revision !== undefined) this.noticed(own.node, { ...known, revision, state: "frozen" });
  }

  #reportDown(node: string, state: NodeState | undefined): void {
    const nodeDead = losesRequests(state);
    const frozen = state === "frozen" ? { frozen: true as const } : {};
    this.#parts.effects.report({ kind: "peerDown", node, nodeDead, ...frozen });
  }

  #watchNode(peer: PeerState, kernelAnsweredBefore = false): void {
    this.#kernels.watch(peer, kernelAnsweredBefore);
    this.#programs.watch(peer);
  }

  /** Something arrives at the peer. */
  #reachedAgain(peer: PeerState): void {
    const { notices } = this.#parts;
    const { node } = peer;
    const known = notices.get(node);
    const incarnation = Math.max(known?.incarnation ?? 0, peer.beat?.incarnation ?? 0);
    notices.publish({
      node,
      incarnation,
      revision: notices.nextRevision(node, incarnation, false) ?? 0,
      state: "alive",
    });
    this.#noteReachability(peer);
  }

  /** The peer is alive: does anything arrive there? */
  #noteReachability(peer: PeerState): void {
    const { notices, effects, changed } = this.#parts;
    const { node, beat } = peer;
    const state = notices.get(node)?.state;
    const isUnreachable = state === "unreachable" || (state === "nodeDead" && peer.isUnreachable);
    if (isUnreachable && beat?.isolated === false && peer.hearsUs) {
      this.#reachedAgain(peer);
      return;
    }
    if (beat?.isolated === true) this.#kernels.watch(peer);
    if (isUnreachable === peer.isUnreachable) return;
    peer.isUnreachable = isUnreachable;
    effects.report(isUnreachable ? { kind: "peerDown", node, nodeDead: true } : { kind: "peerUp", node });
    this.#kernels.watch(peer);
    changed(peer);
  }

  #revive(peer: PeerState): void {
    const { effects, notices, returned } = this.#parts;
    const wasDead = peer.status === "dead";
    // It is heard. Whether anything arrives there is another question: its heartbeats will tell.
    const isUnreachable = receivesNothing(notices.get(peer.node)?.state);
    if (wasDead && !isUnreachable) effects.report({ kind: "peerUp", node: peer.node });
    returned(peer);
    peer.status = "alive";
    peer.nodeDead = false;
    peer.isUnreachable = isUnreachable;
    peer.suspicion = undefined;
    this.#kernels.watch(peer);
  }

  /** After this silence it is suspected. */
  #suspectedMs(peer: PeerState): number {
    return suspectedAfter * peer.intervalMs(this.#parts.own.timing.heartbeatMs);
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

/** What is sent to pods of a node in this state is lost, or never answered. */
function losesRequests(state: NodeState | undefined): boolean {
  return state === "frozen" || receivesNothing(state);
}

/** Nothing arrives at a node in this state. */
function receivesNothing(state: NodeState | undefined): boolean {
  return state === "nodeDead" || state === "unreachable";
}
