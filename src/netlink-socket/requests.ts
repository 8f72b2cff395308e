import { BellhopError } from "../error/error.ts";
import { readAnswer } from "../netlink/answer.ts";
import { type DumpOptions, DumpReader } from "../netlink/dump-reader.ts";
import { errnoName, errnoNumbers } from "../netlink/errno.ts";
import { messageFlags } from "../netlink/layout.ts";
import { MessageWriter } from "../netlink/message-writer.ts";
import { type NetlinkMessage, readMessages } from "../netlink/messages.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

/** Writes what follows the header of a request: the header of the subsystem, and attributes. */
export type FillRequest = (writer: MessageWriter) => void;

/** A dump that is interrupted by changes this often, one time after the other, is given up. */
const dumpAttempts = 10;

/** What failed of requests that change something. */
export interface FailedChanges {
  /** How many were about an object that is not there (ENOENT). */
  readonly missing: number;
  /** The errors of the others: numbers of errno(3). */
  readonly refused: readonly number[];
}

/** A dump under way. */
export interface Dump {
  /** Reads one more datagram; true when the dump is complete. Throws BellhopError NetlinkRefused, NetlinkMalformed or SocketFailed. */
  step(): boolean;
  /** Whether something changed during the dump, so that it may have left something out or listed it twice. */
  readonly interrupted: boolean;
}

/**
 * Asks the kernel by a socket that is used for nothing else meanwhile. All methods throw BellhopError NetlinkRefused for what the kernel refuses
 * or where an answer is lost, NetlinkMalformed, and SocketFailed.
 */
export class NetlinkRequests {
  readonly #socket: NetlinkSocket;
  #sequence = 0;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** The payload of the one answer, copied; undefined if there is no such object (ENOENT). */
  get(type: number, fill: FillRequest): Uint8Array | undefined {
    const sequence = this.#send(type, 0, fill);
    let found: Uint8Array | undefined;
    let missing = false;
    for (;;) {
      const datagram = this.#socket.receive();
      if (datagram === "none") {
        // Silence does not mean that there is no such object.
        if (found === undefined && !missing) throw lost();
        return found;
      }
      if (datagram === "lost") throw lost();
      for (const message of readMessages(datagram)) {
        if (message.sequence !== sequence) continue;
        const answer = readAnswer(message);
        if (answer === undefined) found = Uint8Array.from(message.payload);
        else if (answer.errno === errnoNumbers.ENOENT) missing = true;
        else refuse(answer.errno);
      }
    }
  }

  /** Begins a dump, and sends nothing else by this socket until it is complete. `visit` sees payloads only during the call. */
  dump(type: number, fill: FillRequest, visit: (message: NetlinkMessage) => void, options: DumpOptions = {}): Dump {
    const sequence = this.#send(type, messageFlags.dump, fill);
    const reader = new DumpReader(sequence, visit, options);
    return {
      get interrupted() {
        return reader.interrupted;
      },
      step: () => {
        const datagram = this.#socket.receive();
        if (datagram === "none" || datagram === "lost") throw lost();
        reader.add(datagram);
        return reader.done;
      },
    };
  }

  /** What a dump lists, read at once, and again while it is interrupted. `read` is called for each message; undefined leaves it out. */
  list<Item>(type: number, fill: FillRequest, read: (message: NetlinkMessage) => Item | undefined): readonly Item[] {
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const items: Item[] = [];
      const dump = this.dump(type, fill, (message) => {
        const item = read(message);
        if (item !== undefined) items.push(item);
      });
      while (!dump.step());
      if (!dump.interrupted) return items;
    }
    throw new BellhopError("NetlinkRefused", `the kernel's state changed during ${dumpAttempts} readings in sequence`);
  }

  /**
   * Sends requests that change something, in one datagram and each by itself: that one is refused stops none of the others. Returns how many
   * failed, as far as answers were not lost.
   */
  change(type: number, fills: readonly FillRequest[]): FailedChanges {
    const first = this.#send(type, 0, ...fills);
    let missing = 0;
    const refused: number[] = [];
    for (;;) {
      const datagram = this.#socket.receive();
      if (datagram === "none") return { missing, refused };
      if (datagram === "lost") continue;
      for (const message of readMessages(datagram)) {
        const answer = readAnswer(message);
        if (answer === undefined || answer.sequence < first) continue;
        if (answer.errno === errnoNumbers.ENOENT) missing += 1;
        else if (answer.errno !== 0) refused.push(answer.errno);
      }
    }
  }

  /** Returns the number of the first request; those that follow count up. */
  #send(type: number, flags: number, ...fills: readonly FillRequest[]): number {
    // What is left of an earlier request must not be taken for answers to this one.
    while (this.#socket.receive() !== "none");
    // Far from where a number of 32 bits wraps.
    if (this.#sequence > 0x7000_0000) this.#sequence = 0;
    const first = this.#sequence + 1;
    const writer = new MessageWriter(128);
    for (const fill of fills) {
      this.#sequence += 1;
      const start = writer.beginMessage({ type, flags: messageFlags.request | flags, sequence: this.#sequence });
      fill(writer);
      writer.endMessage(start);
    }
    refuse(this.#socket.send(writer.toBytes()));
    return first;
  }
}

function lost(): BellhopError {
  return new BellhopError("NetlinkRefused", "an answer of the kernel was lost");
}

function refuse(errno: number): void {
  if (errno !== 0) throw new BellhopError("NetlinkRefused", `the kernel refused a request: ${errnoName(errno)}`);
}
