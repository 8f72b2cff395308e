import type { Claim, Message } from "../../src/heartbeat/messages.ts";
import { Directory } from "./directory.ts";
import type { Effect } from "./effects.ts";
import { type Hearing, hearingOf } from "./hearing.ts";
import type { MembershipInputs, ProgramsAnswer } from "./inputs.ts";
import { type OwnState, stateAtStart } from "./own-state.ts";
import { connectParts, type Parts } from "./parts.ts";
import type { Health, LeaveIntent, MembershipPeer, MembershipStake } from "./stake.ts";
import type { Timing } from "./timing.ts";
import { TurnClock } from "./turn-clock.ts";

export interface MembershipOptions {
  /** Name of this node. */
  readonly node: string;
  /** From 1 to maxUint48, random: another one for each process. */
  readonly session: number;
  /** Up to maxUint48: higher for each process, as long as the clock of the node does not go back. Seconds since 1970 will do. */
  readonly incarnation: number;
  readonly timing: Timing;
  readonly nowMs: number;
  /** Makes the directory of peers; many nodes in one process may share it. */
  readonly directoryOf?: (peers: readonly MembershipPeer[]) => Directory;
}

/** See README.md. Pure: effects are what `take` returns. */
export class Membership implements MembershipInputs {
  readonly #own: OwnState;
  readonly #clock: TurnClock;
  readonly #directoryOf: (peers: readonly MembershipPeer[]) => Directory;
  readonly #parts: Parts;

  constructor({ directoryOf, ...start }: MembershipOptions) {
    const own = stateAtStart(start);
    this.#own = own;
    this.#clock = new TurnClock(own);
    this.#directoryOf = directoryOf ?? ((listed) => new Directory(listed, own.node));
    this.#parts = connectParts(own);
    this.#parts.joining.begin();
  }

  /** When `advance` has something to do, monotonic ms; in the past: at once. */
  get nextDueMs(): number {
    return this.#parts.leaving.isDone ? Number.POSITIVE_INFINITY : this.#clock.passedMs(this.#dueMs);
  }

  get #dueMs(): number {
    const { peers, notices, witnesses, connection, liveness, stakes, exchange, joining, doubt, leaving } = this.#parts;
    return Math.min(
      peers.nextBeatMs,
      liveness.nextDueMs,
      witnesses.nextDueMs,
      notices.nextDueMs,
      exchange.nextDueMs,
      stakes.nextDueMs,
      connection.nextDueMs,
      joining.nextDueMs,
      doubt.nextDueMs,
      leaving.nextDueMs,
    );
  }

  get hearing(): Hearing {
    const { peers, view } = this.#parts;
    return hearingOf(peers, view);
  }

  setPeers(listed: readonly MembershipPeer[]): void {
    const { peers, notices, liveness } = this.#parts;
    peers.setDirectory(this.#directoryOf(listed));
    notices.forgetUnlisted();
    for (const peer of peers.all) liveness.watch(peer);
  }

  setStake(stake: MembershipStake): void {
    this.#parts.stakes.set(stake);
  }

  resume(claims: ReadonlyMap<string, Claim>): void {
    this.#parts.stakes.resume(claims);
  }

  removeStake(address: string): void {
    this.#parts.stakes.remove(address);
  }

  setHealth(health: Health): void {
    const { heartbeats, stakes } = this.#parts;
    const { ipv4, ipv6 } = this.#own.health;
    if (ipv4 === health.ipv4 && ipv6 === health.ipv6) return;
    this.#own.health = health;
    heartbeats.hurryAll();
    stakes.lookAtAll();
  }

  leave(intent: LeaveIntent, nowMs: number): void {
    const { stakes, leaving } = this.#parts;
    this.#clock.set(nowMs);
    leaving.begin(intent);
    stakes.lookAtAll();
  }

  receive(from: string, message: Message, nowMs: number): void {
    const { receiver, leaving } = this.#parts;
    this.#clock.set(nowMs);
    if (from === this.#own.node || leaving.isDone) return;
    receiver.receive(from, message);
  }

  lanHeard(nowMs: number): void {
    const { connection, isolation } = this.#parts;
    this.#clock.set(nowMs);
    connection.lanHeard();
    isolation.lanHeard();
  }

  gatewayAnswered(nowMs: number): void {
    const { connection, isolation } = this.#parts;
    this.#clock.set(nowMs);
    connection.gatewayAnswered();
    isolation.connected();
  }

  nodeAnswered(node: string, nowMs: number): void {
    const { connection, liveness, isolation } = this.#parts;
    this.#clock.set(nowMs);
    connection.nodeAnswered();
    liveness.nodeAnswered(node);
    isolation.connected();
  }

  announcementAnswered(node: string, nowMs: number): void {
    this.#clock.set(nowMs);
    this.#parts.liveness.announcementAnswered(node);
  }

  programsAnswered(node: string, askedMs: number, answer: ProgramsAnswer, nowMs: number): void {
    this.#clock.set(nowMs);
    this.#parts.liveness.programsAnswered(node, askedMs, answer);
  }

  advance(nowMs: number): void {
    const { witnesses, connection, liveness, leaving } = this.#parts;
    this.#clock.set(nowMs);
    const hasStalled = this.#clock.beginTurn();
    if (leaving.isDone) return;
    if (hasStalled) this.#wake();
    liveness.advance();
    witnesses.advance();
    connection.askAtRest();
  }

  /** What is to be done since the last call, in order. Ends the turn. */
  take(): readonly Effect[] {
    const { effects, notices, heartbeats, stakes, exchange, joining, doubt, leaving } = this.#parts;
    if (!leaving.isDone) {
      joining.reconsider();
      stakes.flush();
      if (doubt.advance()) stakes.lookAtUnsettled();
      if (joining.advance()) {
        heartbeats.hurryAll();
        stakes.joined();
      }
      if (leaving.advance(stakes.held)) stakes.releaseAll();
      stakes.flush();
      exchange.flush();
      notices.flush();
      heartbeats.flush();
    }
    this.#clock.endTurn(this.#dueMs);
    return effects.take();
  }

  /** The thread did not run for a while. */
  #wake(): void {
    const { heartbeats, witnesses, liveness, doubt } = this.#parts;
    witnesses.forgetQuestions();
    liveness.grantGrace();
    for (const peer of doubt.begin()) heartbeats.send(peer, true);
  }
}
