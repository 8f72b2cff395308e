import { equalBytes } from "../../src/packet/mac.ts";
import type { PacketSocket, PacketSockets } from "../../src/packet-socket/packet-sockets.ts";
import type { ResponderCommand, ResponderReport } from "./commands.ts";
import type { Counters } from "./counters.ts";
import { gratuitousFrames, nextAnnouncementDelay } from "./gratuitous.ts";
import { InterfaceResponder } from "./interface-responder.ts";
import type { MainThreadWatchdog } from "./main-thread-watchdog.ts";
import { respond } from "./respond.ts";
import { Schedule } from "./schedule.ts";

/** Longer than every ARP and NDP frame; a frame that is cut off is not one of these. */
const frameBufferLength = 2048;

/** How many frames of one socket are handled before the others and the commands get their turn. */
const framesPerTurn = 64;

/** The longest sleep: the thread notices at most this late that it has to stop or that the main thread has fallen silent. */
const longestSleepMs = 1000;

/** A conflict with the same device is reported to the main thread this often at most; each one is counted. */
const conflictReportMs = 1000;

export interface ResponderLoopOptions {
  readonly packetSockets: PacketSockets;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly counters: Counters;
  readonly watchdog: MainThreadWatchdog;
  readonly report: (report: ResponderReport) => void;
}

/** An address that is announced, and how many times it was since the takeover. */
interface ScheduledAnnouncement {
  readonly responder: InterfaceResponder;
  readonly address: Uint8Array;
  sent: number;
}

/** Answers requests and announces addresses: everything that the responder thread does, without the thread. */
export class ResponderLoop {
  readonly #options: ResponderLoopOptions;
  readonly #responders = new Map<string, InterfaceResponder>();
  readonly #schedule = new Schedule<ScheduledAnnouncement>();
  readonly #announcements = new Map<string, ScheduledAnnouncement>();
  readonly #buffer = new Uint8Array(frameBufferLength);
  readonly #reportedAtMs = new Map<string, number>();
  #sockets: PacketSocket[] = [];
  #stopped = false;

  constructor(options: ResponderLoopOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Carries out one command. Never throws: what the kernel refuses is reported as `interfaceFailed`. */
  apply(command: ResponderCommand): void {
    switch (command.kind) {
      case "setInterface":
        this.#setInterface(command);
        break;
      case "removeInterface":
        this.#removeInterface(command.name);
        break;
      case "announce":
        this.#announce(command.interfaceName, command.address);
        break;
      case "withdraw":
        this.#withdraw(command.interfaceName, command.address);
        break;
      case "stop":
        this.#stopped = true;
        for (const name of [...this.#responders.keys()]) this.#removeInterface(name);
    }
  }

  /** Waits for frames until the next thing is due, handles them and sends what is due. */
  turn(): void {
    const untilDue = Math.max(0, this.#schedule.nextMs - this.#options.now());
    const readable = this.#options.packetSockets.wait(this.#sockets, Math.ceil(Math.min(untilDue, longestSleepMs)));
    for (const socket of readable) this.#drain(socket);
    this.#sendDue();
    this.#options.counters.add("turns");
  }

  #setInterface(link: { readonly name: string; readonly index: number; readonly mac: Uint8Array }): void {
    const old = this.#responders.get(link.name);
    if (old !== undefined && old.index === link.index && equalBytes(old.mac, link.mac)) return;
    this.#removeInterface(link.name);
    this.#responders.set(
      link.name,
      new InterfaceResponder(this.#options.packetSockets, link, (mac) => this.#isOurs(mac)),
    );
    for (const address of old?.addresses ?? []) this.#announce(link.name, address);
  }

  #announce(interfaceName: string, address: Uint8Array): void {
    const responder = this.#responders.get(interfaceName);
    if (responder === undefined || responder.has(address)) return;
    try {
      responder.add(address);
    } catch (error) {
      this.#fail(responder, error);
      return;
    }
    this.#collectSockets();
    const announcement = { responder, address, sent: 0 };
    this.#announcements.set(keyOf(interfaceName, address), announcement);
    this.#schedule.add(this.#options.now(), announcement);
  }

  #withdraw(interfaceName: string, address: Uint8Array): void {
    this.#announcements.delete(keyOf(interfaceName, address));
    this.#responders.get(interfaceName)?.remove(address);
    this.#collectSockets();
  }

  #drain(socket: PacketSocket): void {
    const responder = this.#responders.get(socket.interfaceName);
    for (let count = 0; responder !== undefined && count < framesPerTurn; count++) {
      let length: number | undefined;
      try {
        length = socket.receive(this.#buffer);
      } catch (error) {
        this.#options.counters.add("receiveErrors");
        this.#fail(responder, error);
        return;
      }
      if (length === undefined) return;
      this.#handle(this.#buffer.subarray(0, length), responder, socket);
    }
  }

  #handle(frame: Uint8Array, responder: InterfaceResponder, socket: PacketSocket): void {
    const { counters, watchdog } = this.#options;
    const answer = respond(frame, responder);
    if (answer === undefined) return;
    if (answer.kind === "conflict") {
      counters.add("conflicts");
      this.#reportConflict(responder, answer.address, answer.mac);
      return;
    }
    counters.add(answer.protocol === "arp" ? "arpRequests" : "ndpSolicitations");
    if (!watchdog.alive()) {
      counters.add("silencedFrames");
      return;
    }
    if (this.#send(socket, answer.frame)) counters.add(answer.protocol === "arp" ? "arpReplies" : "ndpAdvertisements");
  }

  #sendDue(): void {
    const { now, random, counters, watchdog } = this.#options;
    for (;;) {
      const due = this.#schedule.takeDue(now());
      if (due === undefined) return;
      const { responder, address } = due;
      // Withdrawn since; if it was announced again, another entry of the schedule is about it.
      if (this.#announcements.get(keyOf(responder.name, address)) !== due) continue;
      const socket = responder.socketFor(address);
      if (socket === undefined) continue;
      for (const frame of watchdog.alive() ? gratuitousFrames(responder.mac, address) : []) {
        if (this.#send(socket, frame)) counters.add(address.length === 4 ? "gratuitousArp" : "gratuitousNdp");
      }
      due.sent += 1;
      this.#schedule.add(now() + nextAnnouncementDelay(due.sent, random), due);
    }
  }

  #send(socket: PacketSocket, frame: Uint8Array): boolean {
    try {
      socket.send(frame);
      return true;
    } catch {
      // A full queue or a link that just went down: counted, and the client or the next announcement tries again.
      this.#options.counters.add("sendErrors");
      return false;
    }
  }

  #reportConflict(responder: InterfaceResponder, address: Uint8Array, mac: Uint8Array): void {
    const key = `${keyOf(responder.name, address)} ${mac.join(".")}`;
    const now = this.#options.now();
    if (now - (this.#reportedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < conflictReportMs) return;
    // Bounded: an attacker can answer for an address with any number of hardware addresses.
    if (this.#reportedAtMs.size >= 1024) this.#reportedAtMs.clear();
    this.#reportedAtMs.set(key, now);
    this.#options.report({
      kind: "conflict",
      interfaceName: responder.name,
      address: Uint8Array.from(address),
      mac: Uint8Array.from(mac),
    });
  }

  #fail(responder: InterfaceResponder, error: unknown): void {
    this.#removeInterface(responder.name);
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.report({ kind: "interfaceFailed", name: responder.name, reason });
  }

  #removeInterface(name: string): void {
    const responder = this.#responders.get(name);
    if (responder === undefined) return;
    for (const address of responder.addresses) this.#announcements.delete(keyOf(name, address));
    responder.close();
    this.#responders.delete(name);
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

function keyOf(interfaceName: string, address: Uint8Array): string {
  return `${interfaceName} ${address.join(".")}`;
}
