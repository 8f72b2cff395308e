import { equalBytes } from "../../src/packet/mac.ts";
import type { PacketSocket, PacketSockets } from "../../src/packet-socket/packet-sockets.ts";
import type { Counters } from "./counters.ts";
import { burstMs, gratuitousFrames, nextAnnouncementDelay } from "./gratuitous.ts";
import { InterfaceResponder } from "./interface-responder.ts";
import { type LanProbe, probeFrame } from "./lan-probe.ts";
import { RepeatQueue } from "./repeat-queue.ts";
import { Schedule } from "./schedule.ts";
import type { Stake } from "./stake.ts";

export interface AnnouncedAddressesOptions {
  readonly packetSockets: PacketSockets;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly counters: Counters;
  /** The socket of the interface could not be opened or broke. */
  readonly failed: (interfaceName: string, error: unknown) => void;
}

/** An address that is announced on an interface, and how many times it was since the takeover. */
interface ScheduledAnnouncement {
  readonly responder: InterfaceResponder;
  readonly address: Uint8Array;
  sent: number;
}

interface AnnouncedAddress {
  readonly address: Uint8Array;
  readonly interfaces: ReadonlySet<string>;
}

/**
 * The addresses that are answered for, on which interfaces, and the gratuitous frames that are due. An address on an interface that is
 * not set, or has failed, is announced there as soon as the interface is set.
 */
export class AnnouncedAddresses {
  readonly #options: AnnouncedAddressesOptions;
  readonly #responders = new Map<string, InterfaceResponder>();
  readonly #addresses = new Map<string, AnnouncedAddress>();
  /** By the bytes of an announced address: its text form. */
  readonly #texts = new Map<string, string>();
  readonly #schedule = new Schedule<ScheduledAnnouncement>();
  readonly #scheduled = new Map<string, ScheduledAnnouncement>();
  /** Those that are due after the burst. */
  readonly #repeats = new RepeatQueue<ScheduledAnnouncement>();
  #sockets: PacketSocket[] = [];

  constructor(options: AnnouncedAddressesOptions) {
    this.#options = options;
  }

  /** All open sockets. */
  get sockets(): readonly PacketSocket[] {
    return this.#sockets;
  }

  /** When `sendDue` has something to send; Infinity: never. */
  get nextDueMs(): number {
    return Math.min(this.#schedule.nextMs, this.#repeats.nextMs);
  }

  responder(interfaceName: string): InterfaceResponder | undefined {
    return this.#responders.get(interfaceName);
  }

  setInterface(link: { readonly name: string; readonly index: number; readonly mac: Uint8Array }): void {
    const old = this.#responders.get(link.name);
    if (old !== undefined && old.index === link.index && equalBytes(old.mac, link.mac)) return;
    this.removeInterface(link.name);
    const { packetSockets } = this.#options;
    this.#responders.set(link.name, new InterfaceResponder(packetSockets, link, (mac) => this.#isOurs(mac)));
    for (const { address, interfaces } of this.#addresses.values())
      if (interfaces.has(link.name)) this.#add(link.name, address);
  }

  removeInterface(name: string): void {
    const responder = this.#responders.get(name);
    if (responder === undefined) return;
    for (const address of responder.addresses) this.#unschedule(keyOf(name, address));
    responder.close();
    this.#responders.delete(name);
    this.#collectSockets();
  }

  /** Whether the address was announced, and was not withdrawn since. */
  has(text: string): boolean {
    return this.#addresses.has(text);
  }

  /** Answers for the address on these interfaces from now on, and on no others, and announces it where that is new. */
  announce({ address, bytes, interfaces }: Pick<Stake, "address" | "bytes" | "interfaces">): void {
    const before = this.#addresses.get(address)?.interfaces ?? new Set();
    const announced = { address: bytes, interfaces: new Set(interfaces) };
    this.#addresses.set(address, announced);
    this.#texts.set(bytes.join("."), address);
    for (const name of before) if (!announced.interfaces.has(name)) this.#remove(name, bytes);
    for (const name of interfaces) this.#add(name, bytes);
  }

  /** Announces the address again with a new burst of gratuitous frames. */
  announceAgain(text: string): void {
    const announced = this.#addresses.get(text);
    if (announced === undefined) return;
    for (const name of announced.interfaces) {
      const responder = this.#responders.get(name);
      if (responder?.has(announced.address) === true) this.#scheduleBurst(responder, announced.address);
    }
  }

  /** The text form of an announced address. */
  textOf(bytes: Uint8Array): string | undefined {
    return this.#texts.get(bytes.join("."));
  }

  /** Announces the address once, outside of its schedule: another device claims it. */
  defend(responder: InterfaceResponder, address: Uint8Array): void {
    const socket = responder.socketFor(address);
    if (socket !== undefined) this.#sendFrames(responder, socket, address);
  }

  withdraw(text: string): void {
    const announced = this.#addresses.get(text);
    if (announced === undefined) return;
    this.#addresses.delete(text);
    this.#texts.delete(announced.address.join("."));
    for (const name of announced.interfaces) this.#remove(name, announced.address);
  }

  /** Gives up the interface after an error, until it is set again. */
  fail(interfaceName: string, error: unknown): void {
    this.removeInterface(interfaceName);
    this.#options.failed(interfaceName, error);
  }

  /** Sends the gratuitous frames that are due, or none of them in silence. */
  sendDue(silent: boolean): void {
    const { now } = this.#options;
    for (;;) {
      const due = this.#schedule.takeDue(now());
      if (due === undefined) break;
      // Withdrawn since; if it was announced again, another entry of the schedule is about it.
      if (this.#scheduled.get(keyOf(due.responder.name, due.address)) !== due) continue;
      if (due.sent < burstMs.length) this.#sendGratuitous(due, silent);
      else this.#repeats.add(due);
    }
    for (;;) {
      const repeated = this.#repeats.take(now());
      if (repeated === undefined) return;
      this.#sendGratuitous(repeated, silent);
    }
  }

  /**
   * Asks a device on the LAN; `to`: by a frame to this hardware address alone. Its answer arrives at a socket that stays open from now on. Returns
   * whether the question was sent: not where the interface is not set.
   */
  ask(probe: LanProbe, to?: Uint8Array): boolean {
    const responder = this.#responders.get(probe.interfaceName);
    if (responder === undefined) return false;
    try {
      responder.watch(probe.target);
    } catch (error) {
      this.fail(probe.interfaceName, error);
      return false;
    }
    this.#collectSockets();
    const socket = responder.socketFor(probe.target);
    if (socket === undefined) return false;
    this.#options.counters.add("probes");
    return this.send(socket, probeFrame(responder.mac, probe, to));
  }

  /** Returns whether the frame was sent. */
  send(socket: PacketSocket, frame: Uint8Array): boolean {
    try {
      socket.send(frame);
      return true;
    } catch {
      // A full queue or a link that just went down: counted, and the client or the next announcement tries again.
      this.#options.counters.add("sendErrors");
      return false;
    }
  }

  close(): void {
    for (const name of [...this.#responders.keys()]) this.removeInterface(name);
  }

  #add(interfaceName: string, address: Uint8Array): void {
    const responder = this.#responders.get(interfaceName);
    if (responder === undefined || responder.has(address)) return;
    try {
      responder.add(address);
    } catch (error) {
      this.fail(interfaceName, error);
      return;
    }
    this.#collectSockets();
    this.#scheduleBurst(responder, address);
  }

  #scheduleBurst(responder: InterfaceResponder, address: Uint8Array): void {
    const key = keyOf(responder.name, address);
    this.#unschedule(key);
    const announcement = { responder, address, sent: 0 };
    this.#scheduled.set(key, announcement);
    this.#schedule.add(this.#options.now(), announcement);
  }

  #sendGratuitous(announcement: ScheduledAnnouncement, silent: boolean): void {
    const { now, random } = this.#options;
    const { responder, address } = announcement;
    const socket = responder.socketFor(address);
    if (socket === undefined) return;
    if (!silent) this.#sendFrames(responder, socket, address);
    announcement.sent += 1;
    this.#schedule.add(now() + nextAnnouncementDelay(announcement.sent, random), announcement);
  }

  #sendFrames(responder: InterfaceResponder, socket: PacketSocket, address: Uint8Array): void {
    const { counters } = this.#options;
    for (const frame of gratuitousFrames(responder.mac, address)) {
      if (this.send(socket, frame)) counters.add(address.length === 4 ? "gratuitousArp" : "gratuitousNdp");
    }
  }

  #unschedule(key: string): void {
    const announcement = this.#scheduled.get(key);
    if (announcement === undefined) return;
    this.#scheduled.delete(key);
    this.#repeats.delete(announcement);
  }

  #remove(interfaceName: string, address: Uint8Array): void {
    this.#unschedule(keyOf(interfaceName, address));
    this.#responders.get(interfaceName)?.remove(address);
    this.#collectSockets();
  }

  #collectSockets(): void {
    this.#sockets = [...this.#responders.values()].flatMap((responder) => [...responder.sockets]);
  }

  #isOurs(mac: Uint8Array): boolean {
    for (const responder of this.#responders.values()) if (equalBytes(responder.mac, mac)) return true;
    return false;
  }
}

export function keyOf(interfaceName: string, address: Uint8Array): string {
  return `${interfaceName} ${address.join(".")}`;
}
