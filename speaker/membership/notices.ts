import {
  maxNoticeCharacters,
  maxNotices,
  maxUint8,
  type NodeState,
  type Notice,
} from "../../src/heartbeat/messages.ts";
import type { EffectQueue } from "./effect-queue.ts";
import type { OwnState } from "./own-state.ts";
import type { Peers } from "./peers.ts";

/** How many times each notice is sent to each peer: one or two may be lost. Notices also arrive by other ways. */
const rounds = 3;

/** How many deaths a peer that has just started learns of. */
const maxDeathsForNewcomer = 240;

const order: Readonly<Record<NodeState, number>> = {
  alive: 0,
  unreachable: 1,
  nodeDead: 2,
  frozen: 3,
  speakerDown: 4,
};

/** What became of nodes: the newest notice about each, and which are passed on. */
export class NoticeBoard {
  readonly #own: OwnState;
  readonly #peers: Peers;
  readonly #effects: EffectQueue;
  readonly #newest = new Map<string, Notice>();
  /** By node: in how many rounds its newest notice is still sent. */
  readonly #left = new Map<string, number>();
  #nextRoundMs = Number.POSITIVE_INFINITY;
  /** Peers that learn in this turn which nodes are dead. */
  readonly #greeted = new Set<string>();
  /** By peer: the nodes of which it learns in this turn. */
  readonly #told = new Map<string, Set<string>>();

  constructor(own: OwnState, peers: Peers, effects: EffectQueue) {
    this.#own = own;
    this.#peers = peers;
    this.#effects = effects;
  }

  get nextDueMs(): number {
    return this.#nextRoundMs;
  }

  /** The incarnation of the node that is dead, or receives nothing; 0: none is. */
  deadIncarnation(node: string): number {
    const notice = this.#newest.get(node);
    return notice === undefined || notice.state === "alive" ? 0 : notice.incarnation;
  }

  get(node: string): Notice | undefined {
    return this.#newest.get(node);
  }

  /**
   * The revision of a notice that contradicts the newest one about this incarnation. Undefined: there were so many that no worse state is published,
   * until the next incarnation.
   */
  nextRevision(node: string, incarnation: number, isWorse: boolean): number | undefined {
    const known = this.#newest.get(node);
    if (known?.incarnation !== incarnation) return isWorse ? 1 : 0;
    const next = known.revision + 1;
    return next >= maxUint8 && isWorse ? undefined : Math.min(next, maxUint8);
  }

  #isNews(notice: Notice): boolean {
    const known = this.#newest.get(notice.node);
    return known === undefined ? notice.state !== "alive" : isNewer(notice, known);
  }

  /** Keeps the notice and passes it on, if it is news. */
  publish(notice: Notice): boolean {
    if (!this.#isNews(notice)) return false;
    this.#newest.set(notice.node, notice);
    this.#left.set(notice.node, rounds);
    this.#nextRoundMs = Math.min(this.#nextRoundMs, this.#own.nowMs);
    return true;
  }

  /** The peer says this. If something newer is known, it learns that in this turn: it did not receive it when it was news. */
  correct(from: string, notice: Notice): void {
    const known = this.#newest.get(notice.node);
    if (known !== undefined && isNewer(known, notice)) this.tell(from, notice.node);
  }

  /** The peer learns in this turn what is known of the node here. If it knows something newer, it says so. */
  tell(to: string, node: string): void {
    const nodes = this.#told.get(to) ?? new Set();
    this.#told.set(to, nodes.add(node));
  }

  /** Forgets what became of nodes that are no longer in the directory. */
  forgetUnlisted(): void {
    for (const node of this.#newest.keys()) {
      if (this.#peers.isInDirectory(node)) continue;
      this.#newest.delete(node);
      this.#left.delete(node);
    }
  }

  /** Sends what is due. */
  flush(): void {
    const { nowMs, timing } = this.#own;
    if (this.#greeted.size > 0) {
      const deaths = [...this.#newest.values()].filter(({ state }) => state !== "alive").slice(-maxDeathsForNewcomer);
      for (const to of this.#greeted) this.#send(to, deaths);
      this.#greeted.clear();
    }
    for (const [to, nodes] of this.#told)
      this.#send(
        to,
        [...nodes].map((node) => this.#newest.get(node)).filter((notice) => notice !== undefined),
      );
    this.#told.clear();
    if (nowMs < this.#nextRoundMs) return;
    const notices: Notice[] = [];
    for (const [node, left] of this.#left) {
      const notice = this.#newest.get(node);
      if (notice !== undefined) notices.push(notice);
      if (left > 1) this.#left.set(node, left - 1);
      else this.#left.delete(node);
    }
    this.#nextRoundMs = this.#left.size > 0 ? nowMs + timing.heartbeatMs : Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.active) this.#send(peer.node, notices);
  }

  /** Tells a peer which nodes are dead: one that has just started, or to which nothing came through for a while. */
  greet(node: string): void {
    this.#greeted.add(node);
  }

  #send(to: string, notices: readonly Notice[]): void {
    let part: Notice[] = [];
    let characters = 0;
    for (const notice of notices) {
      if (notice.node === to && notice.state === "alive") continue;
      if (part.length === maxNotices || characters + notice.node.length > maxNoticeCharacters) {
        this.#effects.send(to, { kind: "notices", notices: part });
        part = [];
        characters = 0;
      }
      part.push(notice);
      characters += notice.node.length;
    }
    if (part.length > 0) this.#effects.send(to, { kind: "notices", notices: part });
  }
}

/** Both are about the same node. */
function isNewer(a: Notice, b: Notice): boolean {
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation;
  if (a.revision !== b.revision) return a.revision > b.revision;
  return order[a.state] > order[b.state];
}
