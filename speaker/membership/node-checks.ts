import type { Answer, Notice, Question } from "../../src/heartbeat/messages.ts";
import type { Connection } from "./connection.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { ProgramsAnswer } from "./inputs.ts";
import { KernelChecks } from "./kernel-checks.ts";
import type { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import { ProgramChecks } from "./program-checks.ts";
import { deadAfter } from "./timing.ts";
import type { Witnesses } from "./witnesses.ts";

export interface NodeChecksParts {
  readonly own: OwnState;
  readonly peers: Peers;
  readonly effects: EffectQueue;
  readonly witnesses: Witnesses;
  readonly connection: Connection;
  readonly notices: NoticeBoard;
  /** What this node has found out about another one. */
  readonly found: (notice: Notice) => void;
  /** Whether anything arrives at the peer has changed: decide again about what it announces. */
  readonly changed: (peer: PeerState) => void;
}

/** What is known of a peer's node apart from its speaker: whether anything arrives there, and whether programs run. */
export class NodeChecks {
  readonly #parts: NodeChecksParts;
  readonly #kernels: KernelChecks;
  readonly #programs: ProgramChecks;

  constructor(parts: NodeChecksParts) {
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
    return Math.min(this.#kernels.nextDueMs, this.#programs.nextDueMs);
  }

  advance(): void {
    this.#kernels.advance();
    this.#programs.advance();
  }

  /** The thread did not run, or the node was cut off: silence until now does not count. */
  grantGrace(): void {
    this.#kernels.grantGrace();
    this.#programs.grantGrace();
  }

  /** Begins and ends checks, as the state of the peer requires. `kernelAnsweredBefore`: the kernel answered while the peer was suspected. */
  watch(peer: PeerState, kernelAnsweredBefore = false): void {
    this.#kernels.watch(peer, kernelAnsweredBefore);
    this.#programs.watch(peer);
  }

  watchKernel(peer: PeerState): void {
    this.#kernels.watch(peer);
  }

  watchPrograms(peer: PeerState): void {
    this.#programs.watch(peer);
  }

  /** The peer said that it leaves, so its programs run. */
  left(peer: PeerState): void {
    this.#kernels.watch(peer);
    if (this.#parts.notices.get(peer.node)?.state === "frozen") this.#speakerAloneDead(peer);
  }

  /** The answer of a witness to a question about a kernel or about programs. */
  witnessAnswered(from: string, answer: Answer): void {
    if (answer.of === "kernel") this.#kernels.witnessAnswered(from, answer);
    else this.#programs.witnessAnswered(from, answer);
  }

  kernelAnswered(node: string): void {
    this.#kernels.nodeAnswered(node);
  }

  /** `askedMs`: when the connection was required. */
  programsAnswered(node: string, askedMs: number, answer: ProgramsAnswer): void {
    this.#programs.answered(node, askedMs, answer);
  }

  programsQuestioned(from: string, question: Question): void {
    this.#programs.questioned(from, question);
  }

  /** The peer is alive: does anything arrive there? */
  noteReachability(peer: PeerState): void {
    const { own, notices, effects, changed } = this.#parts;
    const { node, beat } = peer;
    const state = notices.get(node)?.state;
    const isUnreachable = state === "unreachable" || (state === "nodeDead" && peer.isUnreachable);
    // The last heartbeat of a node that is no longer heard says nothing about its present state.
    if (isUnreachable && peer.hasBeat(deadAfter, own) && beat?.isolated === false && peer.hearsUs) {
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
    this.noteReachability(peer);
  }

  /** The kernel of a dead peer is silent, or that of one that says that it hears nothing. */
  #kernelSilent(peer: PeerState, answeredBefore: boolean): void {
    const { notices, found } = this.#parts;
    const { node, beat } = peer;
    const known = notices.get(node);
    if (peer.status === "dead") {
      // Others say that it answers them, and this node has never seen that.
      if (known === undefined || (known.revision > 0 && !answeredBefore)) return;
      const revision = notices.nextRevision(node, known.incarnation, true);
      if (revision !== undefined) found({ ...known, revision, state: "nodeDead" });
    } else if (peer.isAlive && beat?.isolated === true) {
      const revision = notices.nextRevision(node, beat.incarnation, true);
      if (revision !== undefined) found({ node, incarnation: beat.incarnation, revision, state: "unreachable" });
    }
  }

  #kernelAnswered(peer: PeerState): void {
    const { own, notices } = this.#parts;
    if (peer.isUnreachable) this.#reachedAgain(peer);
    else if (notices.get(peer.node)?.state !== "frozen" && own.nowMs > peer.heardMs) this.#speakerAloneDead(peer);
  }

  /** The peer is dead, its kernel answers, and no program there does. */
  #programsSilent(peer: PeerState): void {
    const { notices, found } = this.#parts;
    const known = notices.get(peer.node);
    if (peer.status !== "dead" || known?.state !== "speakerDown") return;
    const revision = notices.nextRevision(peer.node, known.incarnation, true);
    if (revision !== undefined) found({ ...known, revision, state: "frozen" });
  }

  /** Its kernel or its programs answer, so that the rest of the node may be well. */
  #speakerAloneDead(peer: PeerState): void {
    const { notices, found } = this.#parts;
    const notice = notices.get(peer.node);
    if (peer.isGone && peer.nodeDead && notice !== undefined) found({ ...notice, state: "speakerDown" });
  }
}
