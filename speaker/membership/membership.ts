import type { Claim, ClaimsMessage, Message } from "../../src/heartbeat/messages.ts";
import { ClaimsExchange } from "./claims-exchange.ts";
import { Connection } from "./connection.ts";
import { Directory } from "./directory.ts";
import { Doubt } from "./doubt.ts";
import { EffectQueue } from "./effect-queue.ts";
import type { Effect } from "./effects.ts";
import { HeartbeatReceiver } from "./heartbeat-receiver.ts";
import { Heartbeats } from "./heartbeats.ts";
import type { MembershipInputs, ProgramsAnswer } from "./inputs.ts";
import { Joining } from "./joining.ts";
import { Leaving } from "./leaving.ts";
import { Liveness } from "./liveness.ts";
import { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import { PeerView } from "./peer-view.ts";
import { Peers } from "./peers.ts";
import { ReceivedClaims } from "./received-claims.ts";
import type { Health, LeaveIntent, MembershipPeer, MembershipStake } from "./stake.ts";
import { Stakes } from "./stakes.ts";
import type { Timing } from "./timing.ts";
import { TurnClock } from "./turn-clock.ts";
import { Witnesses } from "./witnesses.ts";

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

/** Which peers are heard, for reports. Those that this node does not hear, and others do, are in neither list. */
export interface Hearing {
  /** This node hears them, or they restart; they hear others, and can deliver at least one family. */
  readonly heard: readonly string[];
  /** Dead, or alive on a node that receives nothing. */
  readonly lost: readonly string[];
}

/** See README.md. Pure: effects are what `take` returns. */
export class Membership implements MembershipInputs {
  readonly #own: OwnState;
  readonly #clock: TurnClock;
  readonly #directoryOf: (peers: readonly MembershipPeer[]) => Directory;
  readonly #effects = new EffectQueue();
  readonly #received = new ReceivedClaims();
  readonly #peers: Peers;
  readonly #notices: NoticeBoard;
  readonly #heartbeats: Heartbeats;
  readonly #receiver: HeartbeatReceiver;
  readonly #witnesses: Witnesses;
  readonly #connection: Connection;
  readonly #liveness: Liveness;
  readonly #view: PeerView;
  readonly #stakes: Stakes;
  readonly #exchange: ClaimsExchange;
  readonly #joining: Joining;
  readonly #doubt: Doubt;
  readonly #leaving: Leaving;
  /** While isolated: this node hears others, and is not heard. */
  #isUnheard = false;

  constructor({ node, session, incarnation, timing, nowMs, directoryOf }: MembershipOptions) {
    const health = { ipv4: true, ipv6: true };
    const own: OwnState = {
      node,
      session,
      timing,
      nowMs,
      incarnation,
      health,
      phase: "running",
      joined: false,
      isolated: false,
      paused: false,
      isLate: false,
    };
    const effects = this.#effects;
    const received = this.#received;
    const peers = new Peers(own);
    this.#own = own;
    this.#clock = new TurnClock(own);
    this.#directoryOf = directoryOf ?? ((listed) => new Directory(listed, node));
    this.#peers = peers;
    this.#notices = new NoticeBoard(own, peers, effects);
    this.#heartbeats = new Heartbeats(own, peers, effects, received, this.#notices);
    this.#witnesses = new Witnesses(own, peers, effects, this.#heartbeats);
    this.#connection = new Connection(own, effects);
    const view = new PeerView(own, peers, received);
    this.#view = view;
    const exchange = new ClaimsExchange(own, peers, effects, received, (address) => this.#stakes.entryOf(address));
    this.#exchange = exchange;
    this.#stakes = new Stakes({ own, peers, effects, received, view, exchange });
    this.#liveness = new Liveness({
      own,
      peers,
      effects,
      heartbeats: this.#heartbeats,
      witnesses: this.#witnesses,
      connection: this.#connection,
      notices: this.#notices,
      heldBy: (name) => received.heldBy(name),
      changed: (peer) => this.#peerChanged(peer),
      returned: (peer) => exchange.resend(peer),
      restartOver: (peer) => this.#completeClaims(peer),
      isolate: (unheard) => this.#isolate(unheard),
      alone: () => this.#connected(),
      forget: (peer) => this.#forget(peer),
    });
    this.#receiver = new HeartbeatReceiver({
      own,
      peers,
      received,
      exchange,
      heartbeats: this.#heartbeats,
      liveness: this.#liveness,
      notices: this.#notices,
      changed: (peer) => this.#peerChanged(peer),
      lookAt: (addresses) => this.#stakes.lookAt(addresses),
      completeClaims: (peer) => this.#completeClaims(peer),
    });
    this.#joining = new Joining({
      own,
      peers,
      received,
      connection: this.#connection,
      effects,
      addresses: () => this.#stakes.addresses,
      hasOtherOwners: () => this.#stakes.hasOtherOwners,
      isolate: () => this.#isolate(false),
      alone: () => this.#connected(),
    });
    this.#doubt = new Doubt(own, peers, received, effects);
    this.#leaving = new Leaving(own, effects, this.#heartbeats);
    this.#joining.begin();
  }

  /** When `advance` has something to do, monotonic ms; in the past: at once. */
  get nextDueMs(): number {
    return this.#leaving.isDone ? Number.POSITIVE_INFINITY : this.#clock.passedMs(this.#dueMs);
  }

  get #dueMs(): number {
    return Math.min(
      this.#peers.nextBeatMs,
      this.#liveness.nextDueMs,
      this.#witnesses.nextDueMs,
      this.#notices.nextDueMs,
      this.#exchange.nextDueMs,
      this.#stakes.nextDueMs,
      this.#connection.nextDueMs,
      this.#joining.nextDueMs,
      this.#doubt.nextDueMs,
      this.#leaving.nextDueMs,
    );
  }

  /** Costs as much as there are peers. */
  get hearing(): Hearing {
    const now = [...this.#peers.all].filter(({ isOfInterest }) => isOfInterest);
    return {
      heard: now.filter(({ node }) => this.#view.isWorking(node)).map(({ node }) => node),
      lost: now.filter(({ status, isUnreachable }) => status === "dead" || isUnreachable).map(({ node }) => node),
    };
  }

  setPeers(peers: readonly MembershipPeer[]): void {
    this.#peers.setDirectory(this.#directoryOf(peers));
    this.#notices.forgetUnlisted();
    for (const peer of this.#peers.all) this.#liveness.watch(peer);
  }

  setStake(stake: MembershipStake): void {
    this.#stakes.set(stake);
  }

  resume(claims: ReadonlyMap<string, Claim>): void {
    this.#stakes.resume(claims);
  }

  removeStake(address: string): void {
    this.#stakes.remove(address);
  }

  setHealth(health: Health): void {
    const { ipv4, ipv6 } = this.#own.health;
    if (ipv4 === health.ipv4 && ipv6 === health.ipv6) return;
    this.#own.health = health;
    this.#heartbeats.hurryAll();
    this.#stakes.lookAtAll();
  }

  leave(intent: LeaveIntent, nowMs: number): void {
    this.#clock.set(nowMs);
    this.#leaving.begin(intent);
    this.#stakes.lookAtAll();
  }

  receive(from: string, message: Message, nowMs: number): void {
    this.#clock.set(nowMs);
    if (from === this.#own.node || this.#leaving.isDone) return;
    if (message.kind === "heartbeat") {
      if (this.#receiver.receive(from, message)) this.#connected();
      return;
    }
    const peer = this.#peers.ensure(from);
    if (message.kind === "claims") {
      if (peer.session === message.session && peer.status !== "left") this.#receiveClaims(peer, message);
      return;
    }
    if (peer.session !== 0 && peer.status !== "left") {
      this.#liveness.heard(peer);
      this.#connected();
    }
    switch (message.kind) {
      case "question":
        if (message.of === "programs") this.#liveness.programsQuestioned(from, message);
        else this.#witnesses.answer(from, message);
        break;
      case "answer":
        this.#liveness.answered(from, message);
        break;
      case "notices":
        for (const notice of message.notices) this.#receiver.noticed(from, notice);
        break;
      case "conflict":
        this.#stakes.conflict(message);
        break;
    }
  }

  lanHeard(nowMs: number): void {
    this.#clock.set(nowMs);
    this.#connection.lanHeard();
    this.#joining.heard();
    if (!this.#isUnheard) this.#connected();
  }

  gatewayAnswered(nowMs: number): void {
    this.#clock.set(nowMs);
    this.#connection.gatewayAnswered();
    this.#connected();
  }

  nodeAnswered(node: string, nowMs: number): void {
    this.#clock.set(nowMs);
    this.#liveness.nodeAnswered(node);
    this.#connected();
  }

  announcementAnswered(node: string, nowMs: number): void {
    this.#clock.set(nowMs);
    this.#liveness.announcementAnswered(node);
  }

  programsAnswered(node: string, askedMs: number, answer: ProgramsAnswer, nowMs: number): void {
    this.#clock.set(nowMs);
    this.#liveness.programsAnswered(node, askedMs, answer);
  }

  advance(nowMs: number): void {
    this.#clock.set(nowMs);
    const hasStalled = this.#clock.beginTurn();
    if (this.#leaving.isDone) return;
    if (hasStalled) this.#wake();
    this.#liveness.advance();
    this.#witnesses.advance();
    this.#connection.askAtRest();
  }

  /** What is to be done since the last call, in order. Ends the turn. */
  take(): readonly Effect[] {
    if (!this.#leaving.isDone) {
      this.#joining.reconsider();
      this.#stakes.flush();
      if (this.#doubt.advance()) this.#stakes.lookAtUnsettled();
      if (this.#joining.advance()) {
        this.#heartbeats.hurryAll();
        this.#stakes.joined();
      }
      if (this.#leaving.advance(this.#stakes.held)) this.#stakes.releaseAll();
      this.#stakes.flush();
      this.#exchange.flush();
      this.#notices.flush();
      this.#heartbeats.flush();
    }
    this.#clock.endTurn(this.#dueMs);
    return this.#effects.take();
  }

  #receiveClaims(peer: PeerState, message: ClaimsMessage): void {
    this.#liveness.heard(peer);
    this.#connected();
    const changed = this.#received.apply(peer.node, message);
    this.#heartbeats.hurry(peer);
    const isLater = message.version > (peer.beat?.claimsVersion ?? 0);
    for (const address of changed) {
      if (isLater) peer.claimedSince.add(address);
      this.#stakes.told(peer.node, address);
    }
    this.#completeClaims(peer);
  }

  /** What the peer no longer claims, now that it has told everything. */
  #completeClaims(peer: PeerState): void {
    if (peer.beat === undefined || peer.restartUntilMs > this.#own.nowMs) return;
    this.#stakes.lookAt(this.#received.complete(peer.node, peer.beat.claimsVersion));
  }

  #peerChanged(peer: PeerState): void {
    this.#stakes.lookAt(this.#received.heldBy(peer.node));
    this.#stakes.lookAtUnsettled();
    this.#peers.update(peer);
    if (!peer.isAlive) this.#heartbeats.hurry(peer);
  }

  #isolate(unheard: boolean): void {
    this.#isUnheard = unheard;
    this.#own.isolated = true;
    this.#own.joined = false;
    this.#effects.report({ kind: "isolated" });
    this.#heartbeats.hurryAll();
    this.#stakes.lookAtAll();
  }

  /** Something was heard: this node is not cut off. */
  #connected(): void {
    this.#joining.heard();
    if (!this.#own.isolated) return;
    this.#own.isolated = false;
    this.#isUnheard = false;
    this.#effects.report({ kind: "connected" });
    this.#joining.begin();
    this.#liveness.grantGrace();
    this.#heartbeats.hurryAll();
    this.#stakes.lookAtAll();
  }

  /** The thread did not run for a while. */
  #wake(): void {
    this.#witnesses.forgetQuestions();
    this.#liveness.grantGrace();
    for (const peer of this.#doubt.begin()) this.#heartbeats.send(peer, true);
  }

  #forget(peer: PeerState): void {
    this.#stakes.lookAt(this.#received.forget(peer.node).keys());
    this.#peers.forget(peer);
  }
}
