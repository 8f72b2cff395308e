import type { EventQueue } from "./event-queue.ts";
import { Random } from "./random.ts";

/** How many recordings are kept. */
const maxRecordings = 400;

/** A device on the LAN without the key: it records what nodes send, and sends it again later, changed or to another node. */
export class Attacker {
  readonly #random: Random;
  readonly #recorded: Uint8Array[] = [];
  sent = 0;

  constructor(seed: number) {
    this.#random = new Random(seed ^ 0x5eed);
  }

  record(packet: Uint8Array): void {
    if (this.#recorded.length < maxRecordings) this.#recorded.push(packet);
    else this.#recorded[this.#random.integer(0, maxRecordings - 1)] = packet;
  }

  /** Sends a packet to some node every few milliseconds. */
  attack(events: EventQueue, nodes: number, deliver: (node: number, packet: Uint8Array) => void): void {
    events.at(events.nowMs + this.#random.integer(1, 8), () => {
      if (this.#recorded.length > 0) {
        const packet = this.#random.pick(this.#recorded).slice();
        if (this.#random.chance(0.4)) {
          const at = this.#random.integer(0, packet.length - 1);
          packet[at] = (packet[at] ?? 0) ^ this.#random.integer(1, 255);
        }
        this.sent += 1;
        deliver(this.#random.integer(0, nodes - 1), packet);
      }
      this.attack(events, nodes, deliver);
    });
  }
}
