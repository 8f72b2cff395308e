import type { PacketSocket, PacketSockets } from "../../src/packet-socket/packet-sockets.ts";
import { AnnouncedAddresses, keyOf } from "./announced-addresses.ts";
import type { AddressFact, ResponderCommand, ResponderReport } from "./commands.ts";
import type { Counters } from "./counters.ts";
import { FirstOwner } from "./first-owner.ts";
import type { InterfaceResponder } from "./interface-responder.ts";
import type { MainThreadWatchdog } from "./main-thread-watchdog.ts";
import { respond } from "./respond.ts";
import type { Stake } from "./stake.ts";

/** Longer than every ARP and NDP frame; a frame that is cut off is not one of these. */
const frameBufferLength = 2048;

/** How many frames of one socket are handled before the others and the commands get their turn. */
const framesPerTurn = 64;

/** The longest sleep: the thread notices at most this late that it has to stop or that the main thread has fallen silent. */
const longestSleepMs = 1000;

/** A conflict with the same device is reported to the main thread this often at most; each one is counted. */
const conflictReportMs = 1000;

/** How often the kernel is asked how many frames it dropped: one system call for each socket. */
const countLostMs = 1000;

export interface ResponderLoopOptions {
  /** Name of this node. */
  readonly node: string;
  readonly packetSockets: PacketSockets;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly counters: Counters;
  readonly watchdog: Pick<MainThreadWatchdog, "alive">;
  readonly report: (report: ResponderReport) => void;
}

/** Decides which addresses are announced, announces them and answers requests: all of the responder thread, without the thread. */
export class ResponderLoop {
  readonly #options: ResponderLoopOptions;
  readonly #decision: FirstOwner;
  readonly #announced: AnnouncedAddresses;
  readonly #stakes = new Map<string, Stake>();
  readonly #holding = new Set<string>();
  readonly #buffer = new Uint8Array(frameBufferLength);
  readonly #reportedAtMs = new Map<string, number>();
  /** Not reported yet. */
  #facts: AddressFact[] = [];
  #stopped = false;
  #countLostAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ResponderLoopOptions) {
    this.#options = options;
    const { node, packetSockets, now, random, counters, report } = options;
    this.#decision = new FirstOwner(node);
    this.#announced = new AnnouncedAddresses({
      packetSockets,
      now,
      random,
      counters,
      failed(name, error) {
        const reason = error instanceof Error ? error.message : String(error);
        report({ kind: "interfaceFailed", name, reason });
      },
    });
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Carries out one command. Never throws: what the kernel refuses is reported as `interfaceFailed`. */
  apply(command: ResponderCommand): void {
    switch (command.kind) {
      case "setInterface":
        this.#announced.setInterface(command);
        break;
      case "removeInterface":
        this.#announced.removeInterface(command.name);
        break;
      case "setStake": {
        const { stake } = command;
        this.#stakes.set(stake.text, stake);
        if (this.#holding.has(stake.text)) this.#announced.announce(stake);
        this.#decision.setStake(stake);
        this.#carryOut();
        break;
      }
      case "removeStake":
        this.#decision.removeStake(command.text);
        this.#carryOut();
        this.#stakes.delete(command.text);
        break;
      case "stop":
        this.#stopped = true;
        this.#announced.close();
    }
  }

  /** Waits for frames until the next thing is due, handles them and sends what is due. */
  turn(): void {
    const { now, packetSockets, watchdog, counters } = this.#options;
    this.#reportFacts();
    const untilDue = Math.max(0, this.#announced.nextDueMs - now());
    const readable = packetSockets.wait(this.#announced.sockets, Math.ceil(Math.min(untilDue, longestSleepMs)));
    for (const socket of readable) this.#drain(socket);
    this.#countLost();
    this.#announced.sendDue(!watchdog.alive());
    this.#reportFacts();
    counters.add("turns");
  }

  #carryOut(): void {
    for (const effect of this.#decision.take()) {
      if (effect.kind === "fact") {
        this.#facts.push(effect.fact);
        continue;
      }
      const stake = this.#stakes.get(effect.text);
      if (effect.kind === "withdraw" || stake === undefined) {
        this.#holding.delete(effect.text);
        this.#announced.withdraw(effect.text);
      } else {
        this.#holding.add(effect.text);
        this.#announced.announce(stake);
      }
    }
  }

  #reportFacts(): void {
    if (this.#facts.length === 0) return;
    this.#options.report({ kind: "facts", facts: this.#facts });
    this.#facts = [];
  }

  #drain(socket: PacketSocket): void {
    const responder = this.#announced.responder(socket.interfaceName);
    for (let count = 0; responder !== undefined && count < framesPerTurn; count++) {
      let length: number | undefined;
      try {
        length = socket.receive(this.#buffer);
      } catch (error) {
        this.#options.counters.add("receiveErrors");
        this.#announced.fail(responder.name, error);
        return;
      }
      if (length === undefined) return;
      this.#handle(this.#buffer.subarray(0, length), responder, socket);
    }
  }

  #handle(frame: Uint8Array, responder: InterfaceResponder, socket: PacketSocket): void {
    const { counters, watchdog } = this.#options;
    const answer = respond(frame, responder);
    if (typeof answer === "string") {
      counters.add(answer === "malformed" ? "malformedFrames" : "unrelatedFrames");
      return;
    }
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
    if (this.#announced.send(socket, answer.frame))
      counters.add(answer.protocol === "arp" ? "arpReplies" : "ndpAdvertisements");
  }

  #countLost(): void {
    const { now, counters } = this.#options;
    if (now() < this.#countLostAtMs) return;
    this.#countLostAtMs = now() + countLostMs;
    for (const socket of this.#announced.sockets) {
      try {
        counters.add("lostFrames", socket.takeLost());
      } catch (error) {
        this.#announced.fail(socket.interfaceName, error);
      }
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
}
