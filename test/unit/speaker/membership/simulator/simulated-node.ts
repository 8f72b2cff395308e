import type { Effect } from "../../../../../speaker/membership/effects.ts";
import { Membership } from "../../../../../speaker/membership/membership.ts";
import type { LeaveIntent, MembershipPeer, MembershipStake } from "../../../../../speaker/membership/stake.ts";
import type { Timing } from "../../../../../speaker/membership/timing.ts";
import type { Claim, Message } from "../../../../../src/heartbeat/messages.ts";
import type { AddressView, Api } from "./api.ts";
import type { EventQueue } from "./event-queue.ts";
import { SealedWire } from "./sealed-wire.ts";

/** What the effects of a node do in the simulation. */
export interface World {
  readonly events: EventQueue;
  readonly api: Api;
  readonly timing: Timing;
  readonly peers: readonly MembershipPeer[];
  readonly effect: (node: SimulatedNode, effect: Effect) => void;
  /** Something about what the node answers has changed. */
  readonly changed: (node: SimulatedNode) => void;
}

/** One node: its membership, its clock, its main thread, and what it answers for. */
export class SimulatedNode {
  readonly name: string;
  readonly index: number;
  readonly #world: World;
  #membership: Membership | undefined;
  #wire: SealedWire | undefined;
  /** Its kernel runs. */
  isOn = true;
  /** No speaker starts there again. */
  #isOver = false;
  /** When its process started. */
  startedMs = 0;
  /** When it began to leave, ended or stood still. */
  readonly silencedMs: number[] = [];
  /** When its process first said that it has left; Infinity: it did not. */
  leftMs = Number.POSITIVE_INFINITY;
  /** When it began to leave for the last time. */
  leavingMs = Number.NEGATIVE_INFINITY;
  /** A kubelet runs there, or is frozen. */
  hasKubelet = true;
  /** Its programs run again from then on. */
  frozenUntilMs = 0;
  /** Its thread runs from then on. */
  stalledUntilMs = 0;
  #clockOffsetMs: number;
  #clockRate: number;
  #sessions = 0;
  #wakeMs = Number.POSITIVE_INFINITY;
  #isPaused = false;
  /** How long the main thread needs before a stake is armed. */
  armDelayMs = 10;
  readonly #announced = new Set<string>();
  readonly #claims = new Map<string, Claim>();
  readonly #seen = new Map<string, AddressView>();
  readonly #unarmed = new Set<string>();
  /** By address: the announcer that a third node has told this one of. */
  readonly #told = new Map<string, string>();
  #inbox: (() => void)[] = [];
  #resumed: ReadonlyMap<string, Claim> = new Map();
  health = { ipv4: true, ipv6: true };

  constructor(name: string, index: number, world: World, clock: { readonly offsetMs: number; readonly rate: number }) {
    this.name = name;
    this.index = index;
    this.#world = world;
    this.#clockOffsetMs = clock.offsetMs;
    this.#clockRate = clock.rate;
  }

  get isRunning(): boolean {
    return this.#membership !== undefined;
  }

  get isStalled(): boolean {
    return this.stalledUntilMs > this.#world.events.nowMs;
  }

  /** All its programs stand still, and its kernel works. */
  get isFrozen(): boolean {
    return this.frozenUntilMs > this.#world.events.nowMs;
  }

  get membership(): Membership | undefined {
    return this.#membership;
  }

  /** Whether a request for the address would be answered. */
  answersFor(address: string): boolean {
    return this.isRunning && !this.#isPaused && !this.isStalled && this.#announced.has(address);
  }

  /** It could announce the address: its main thread knows that, and the rules are there. */
  canAnnounce(address: string): boolean {
    const view = this.#seen.get(address);
    if (!this.isRunning || this.isStalled || view === undefined || !view.owners.includes(this.name)) return false;
    return !this.#unarmed.has(address) && (view.family === "IPv4" ? this.health.ipv4 : this.health.ipv6);
  }

  /** The node that announces the address, as a third one has told this process last. */
  toldOf(address: string): string | undefined {
    return this.#told.get(address);
  }

  /** Its main thread has the newest view of the address. */
  isCurrent(address: string): boolean {
    const [mine, newest] = [this.#seen.get(address), this.#world.api.get(address)];
    return mine?.version === newest?.version;
  }

  start(): void {
    if (this.isRunning || this.#isOver) return;
    const { timing, peers, api, events } = this.#world;
    this.isOn = true;
    this.startedMs = events.nowMs;
    this.leftMs = Number.POSITIVE_INFINITY;
    this.#sessions += 1;
    const nowMs = this.#localMs();
    this.#membership = new Membership({
      node: this.name,
      session: this.#sessions * 100 + this.index + 1,
      incarnation: Math.max(1, Math.floor(nowMs / 1000)),
      timing,
      nowMs,
    });
    const names = peers.map(({ node }) => node);
    this.#wire = new SealedWire(this.name, names, this.#sessions * 100 + this.index + 1, nowMs);
    const resumed = this.#resumed;
    this.#resumed = new Map();
    this.run((membership) => {
      membership.resume(resumed);
      membership.setPeers(peers);
      membership.setHealth(this.health);
    });
    api.watch(this.name, (view) => this.#see(view));
  }

  /** The speaker ends without a word. `power`: the kernel as well. */
  crash(power: boolean): void {
    if (power) this.isOn = false;
    if (this.isRunning) this.silencedMs.push(this.#world.events.nowMs);
    this.#membership = undefined;
    this.#world.api.unwatch(this.name);
    this.#announced.clear();
    this.#claims.clear();
    this.#seen.clear();
    this.#unarmed.clear();
    this.#told.clear();
    this.#inbox = [];
    this.#isPaused = false;
    this.#world.changed(this);
  }

  /** The same for good. */
  end(power: boolean): void {
    this.#isOver = true;
    this.isOn = !power;
    this.crash(power);
  }

  leave(intent: LeaveIntent): void {
    this.leavingMs = this.#world.events.nowMs;
    this.silencedMs.push(this.leavingMs);
    this.run((membership, nowMs) => membership.leave(intent, nowMs));
  }

  stall(forMs: number): void {
    if (!this.isRunning) return;
    const untilMs = this.#world.events.nowMs + forMs;
    if (untilMs <= this.stalledUntilMs) return;
    this.stalledUntilMs = untilMs;
    this.silencedMs.push(this.#world.events.nowMs);
    this.#world.changed(this);
    this.#world.events.at(untilMs, () => this.#wakeUp());
  }

  /** All programs of the node stand still for that time; its kernel works. */
  freeze(forMs: number): void {
    this.frozenUntilMs = Math.max(this.frozenUntilMs, this.#world.events.nowMs + forMs);
    this.stall(forMs);
  }

  jumpClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
    this.#turn();
  }

  setArmed(address: string, armed: boolean): void {
    if (armed) this.#unarmed.delete(address);
    else this.#unarmed.add(address);
    this.#plan(address);
  }

  setHealth(health: { readonly ipv4: boolean; readonly ipv6: boolean }): void {
    this.health = health;
    this.run((membership) => membership.setHealth(health));
  }

  receive(from: string, message: Message): void {
    this.run((membership, nowMs) => this.#receive(membership, from, message, nowMs));
  }

  seal(to: string, message: Message): Uint8Array | undefined {
    return this.#wire?.seal(to, message, this.#localMs());
  }

  /** Opens a packet in a turn of the thread. */
  receivePacket(
    packet: Uint8Array,
    accepted: (from: string, message: Message) => void,
    answer: (to: string, packet: Uint8Array) => void,
  ): void {
    const wire = this.#wire;
    this.run((membership, nowMs) => {
      if (wire !== this.#wire || wire === undefined) return;
      const opened = wire.open(packet, nowMs);
      for (const message of opened.messages) {
        accepted(opened.from, message);
        this.#receive(membership, opened.from, message, nowMs);
      }
      if (opened.answer !== undefined) answer(opened.from, opened.answer);
    });
  }

  #receive(membership: Membership, from: string, message: Message, nowMs: number): void {
    if (message.kind === "conflict") this.#told.set(message.address, message.holder);
    membership.receive(from, message, nowMs);
  }

  /** Runs in a turn of the thread. */
  run(act: (membership: Membership, nowMs: number) => void): void {
    const membership = this.#membership;
    if (membership === undefined) return;
    if (this.isStalled) {
      if (this.#inbox.length < 500) this.#inbox.push(() => act(membership, this.#localMs()));
      return;
    }
    const nowMs = this.#localMs();
    membership.advance(nowMs);
    act(membership, nowMs);
    this.#finish(membership);
  }

  #wakeUp(): void {
    if (this.isStalled) return;
    const membership = this.#membership;
    this.#world.changed(this);
    if (membership === undefined) return;
    const inbox = this.#inbox;
    this.#inbox = [];
    membership.advance(this.#localMs());
    for (const act of inbox) act();
    this.#finish(membership);
  }

  #turn(): void {
    this.run(() => {});
  }

  #finish(membership: Membership): void {
    for (const effect of membership.take()) this.#apply(effect);
    const nextMs = membership.nextDueMs;
    const { events } = this.#world;
    const atMs = Math.max((nextMs - this.#clockOffsetMs) / this.#clockRate + 0.01, events.nowMs + 0.01);
    if (atMs === Number.POSITIVE_INFINITY || this.#membership !== membership) return;
    if (this.#wakeMs > events.nowMs && this.#wakeMs <= atMs) return;
    this.#wakeMs = atMs;
    events.at(atMs, () => {
      if (this.#wakeMs === atMs && this.#membership === membership) this.#turn();
    });
  }

  #apply(effect: Effect): void {
    switch (effect.kind) {
      case "announce":
        this.#announced.add(effect.address);
        this.#world.changed(this);
        break;
      case "withdraw":
        this.#announced.delete(effect.address);
        this.#world.changed(this);
        break;
      case "send":
        if (effect.message.kind === "heartbeat" && effect.message.phase === "left")
          this.leftMs = Math.min(this.leftMs, this.#world.events.nowMs);
        break;
      case "pause":
      case "resume":
        this.#isPaused = effect.kind === "pause";
        this.#world.changed(this);
        break;
      case "fact":
        if (effect.fact.kind === "holding") this.#claims.set(effect.fact.address, effect.fact.claim);
        if (effect.fact.kind === "released") {
          this.#claims.delete(effect.fact.address);
          this.#world.events.at(this.#world.events.nowMs + 1, () => this.#forgetUnowned());
        }
        if (effect.fact.kind === "leaveDone") {
          this.#resumed = new Map(this.#claims);
          this.#world.events.at(this.#world.events.nowMs, () => this.crash(false));
        }
        break;
    }
    this.#world.effect(this, effect);
  }

  #see(view: AddressView): void {
    const before = this.#seen.get(view.address);
    this.#seen.set(view.address, view);
    if (before === undefined && view.owners.includes(this.name)) {
      // The rules of the address are not in the kernel yet.
      this.#unarmed.add(view.address);
      this.#world.events.at(this.#world.events.nowMs + this.armDelayMs, () => this.setArmed(view.address, true));
    }
    this.#plan(view.address);
  }

  #plan(address: string): void {
    const view = this.#seen.get(address);
    if (view === undefined) return;
    const isStake = view.owners.includes(this.name) || this.#claims.has(address);
    const stake: MembershipStake = { ...view, armed: !this.#unarmed.has(address) };
    this.run((membership) => {
      if (isStake) membership.setStake(stake);
      else membership.removeStake(address);
    });
  }

  /** What it neither owns nor announces concerns it no longer. */
  #forgetUnowned(): void {
    for (const [address, view] of this.#seen) {
      if (view.owners.includes(this.name) || this.#claims.has(address)) continue;
      this.run((membership) => membership.removeStake(address));
    }
  }

  #localMs(): number {
    return this.#world.events.nowMs * this.#clockRate + this.#clockOffsetMs;
  }
}
