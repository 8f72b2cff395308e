import type { Message } from "../../../../../src/heartbeat/messages.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Random } from "./random.ts";

export interface NetworkNoise {
  /** Probabilities that a packet is lost, and that it arrives twice. */
  readonly loss: number;
  readonly duplicates: number;
  /** Each packet takes a random time up to this; so packets overtake each other. */
  readonly delayMs: number;
}

/** A longer time between two heartbeats is a pause. */
const pauseMs = 200;

/** The LAN: which nodes reach each other, in each direction, and how well. The gateway is on side 0 of a partition. */
export class Network {
  readonly #events: EventQueue;
  readonly #random: Random;
  readonly #blocked = new Set<number>();
  readonly #noReceive = new Set<number>();
  readonly #noSend = new Set<number>();
  /** By node: the side of a partition that it is on. */
  readonly #sides = new Map<number, number>();
  /** When the last packet arrives, and the last heartbeat, by the way that they take. */
  readonly #packetsMs = new Map<number, number>();
  readonly #heartbeatsMs = new Map<number, number>();
  /** When the last pause without heartbeats ended. */
  readonly #pausesMs = new Map<number, number>();
  #udp = true;
  noise: NetworkNoise;

  constructor(events: EventQueue, random: Random, noise: NetworkNoise) {
    this.#events = events;
    this.#random = random;
    this.noise = noise;
  }

  /** Nothing arrives on this way, or everything does again; `both`: and on the way back. */
  setBlocked(from: number, to: number, blocked: boolean, both = false): void {
    if (blocked) this.#blocked.add(from * 4096 + to);
    else this.#blocked.delete(from * 4096 + to);
    if (both) this.setBlocked(to, from, blocked);
  }

  /** The cable of the node, by direction. */
  setCable(node: number, receives: boolean, sends: boolean): void {
    if (receives) this.#noReceive.delete(node);
    else this.#noReceive.add(node);
    if (sends) this.#noSend.delete(node);
    else this.#noSend.add(node);
  }

  setSide(node: number, side: number): void {
    this.#sides.set(node, side);
  }

  /** Whether heartbeats pass; ARP always does. */
  setUdp(passes: boolean): void {
    this.#udp = passes;
  }

  /** A message of one speaker to another. */
  sendMessage(from: number, to: number, kind: Message["kind"], deliver: () => void): void {
    if (!this.#udp) return;
    const atMs = this.send(from, to, deliver);
    if (atMs === undefined || kind !== "heartbeat") return;
    const way = from * 4096 + to;
    if (atMs - (this.#heartbeatsMs.get(way) ?? atMs) > pauseMs) this.#pausesMs.set(way, atMs);
    this.#heartbeatsMs.set(way, atMs);
  }

  heal(): void {
    this.#udp = true;
    this.#blocked.clear();
    this.#noReceive.clear();
    this.#noSend.clear();
    this.#sides.clear();
  }

  sideOf(node: number): number {
    return this.#sides.get(node) ?? 0;
  }

  /** Whether a packet can arrive. */
  isOpen(from: number, to: number): boolean {
    if (this.#noSend.has(from) || this.#noReceive.has(to)) return false;
    return this.sideOf(from) === this.sideOf(to) && !this.#blocked.has(from * 4096 + to);
  }

  /** Whether clients beside the gateway can exchange frames with the node. */
  isReachable(node: number): boolean {
    return this.sideOf(node) === 0 && this.hasCable(node);
  }

  /** Whether frames pass its cable in both directions. */
  hasCable(node: number): boolean {
    return !this.#noSend.has(node) && !this.#noReceive.has(node);
  }

  /** Returns when it arrives first; undefined: never. */
  send(from: number, to: number, deliver: () => void): number | undefined {
    const { loss, duplicates, delayMs } = this.noise;
    if (!this.isOpen(from, to) || (loss > 0 && this.#random.chance(loss))) return undefined;
    const atMs = this.#events.nowMs + 0.1 + this.#random.next() * delayMs;
    this.#deliver(from, to, atMs, deliver);
    if (duplicates > 0 && this.#random.chance(duplicates))
      this.#deliver(from, to, this.#events.nowMs + 0.1 + this.#random.next() * delayMs * 3, deliver);
    return atMs;
  }

  /** What is sent later may arrive earlier, and a process that has started meanwhile hears the copy of a packet. */
  #deliver(from: number, to: number, atMs: number, deliver: () => void): void {
    this.#packetsMs.set(from * 4096 + to, Math.max(atMs, this.lastPacketMs(from, to)));
    this.#events.at(atMs, deliver);
  }

  /** A frame that arrives at once, or not at all. */
  broadcast(from: number, to: number, deliver: () => void): void {
    if (!this.isOpen(from, to)) return;
    this.#packetsMs.set(from * 4096 + to, this.#events.nowMs);
    deliver();
  }

  /** When the last packet from there arrived, or arrives; -Infinity: none ever did. */
  lastPacketMs(from: number, to: number): number {
    return this.#packetsMs.get(from * 4096 + to) ?? Number.NEGATIVE_INFINITY;
  }

  /** The same for heartbeats. */
  lastHeartbeatMs(from: number, to: number): number {
    return this.#heartbeatsMs.get(from * 4096 + to) ?? Number.NEGATIVE_INFINITY;
  }

  /** When the last pause ended in which no heartbeat from there arrived; -Infinity: there was none. */
  lastPauseMs(from: number, to: number): number {
    return this.#pausesMs.get(from * 4096 + to) ?? Number.NEGATIVE_INFINITY;
  }

  /** A request to a device and its answer. */
  exchange(node: number, other: number, answers: () => boolean, deliver: () => void): void {
    this.send(node, other, () => {
      if (answers()) this.send(other, node, deliver);
    });
  }
}
