import { messageFlags } from "./layout.ts";
import { MessageWriter } from "./message-writer.ts";
import { netfilterFamilies, netfilterType, writeNetfilterHeader } from "./netfilter.ts";

/** Commands that the kernel carries out all together or not at all, ready to be sent in one datagram. */
export interface NetfilterBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What each command does, in words for people. The command with sequence number n is at n - 1. */
  readonly commands: readonly string[];
}

/** NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END (linux/netfilter/nfnetlink.h): types without a subsystem. */
const batchTypes = { begin: 0x10, end: 0x11 } as const;

/**
 * Writes a batch: `beginCommand`, the attributes with `attributes`, `endCommand`, as often as needed, then `finish`. Commands are numbered from
 * 1, and the marks around them are 0. Only the last command requests an ack: an ack of the end mark needs Linux 6.10, and many acks would
 * overflow the socket.
 */
export class BatchWriter {
  readonly attributes: MessageWriter;
  readonly #subsystem: number;
  readonly #commands: string[] = [];
  #last: number | undefined;

  /** `subsystem`: see `netfilterSubsystems`. `capacity`: bytes to start with. */
  constructor(subsystem: number, capacity?: number) {
    this.#subsystem = subsystem;
    this.attributes = new MessageWriter(capacity);
    this.#writeMark(batchTypes.begin);
  }

  /**
   * Begins a command; returns the mark for `endCommand`. `name` says what it does: "add rule to_pods". `message` is its number in the subsystem,
   * `family` one of `netfilterFamilies`, and `flags` those beside NLM_F_REQUEST.
   */
  beginCommand(name: string, message: number, family: number, flags = 0): number {
    this.#commands.push(name);
    const header = {
      type: netfilterType(this.#subsystem, message),
      flags: messageFlags.request | flags,
      sequence: this.#commands.length,
    };
    this.#last = this.attributes.beginMessage(header);
    writeNetfilterHeader(this.attributes, family);
    return this.#last;
  }

  endCommand(mark: number): void {
    this.attributes.endMessage(mark);
  }

  /** Ends the batch. Call it once. */
  finish(): NetfilterBatch {
    if (this.#last !== undefined) this.attributes.addFlags(this.#last, messageFlags.ack);
    this.#writeMark(batchTypes.end);
    return { bytes: this.attributes.release(), commands: this.#commands };
  }

  #writeMark(type: number): void {
    const start = this.attributes.beginMessage({ type, flags: messageFlags.request, sequence: 0 });
    writeNetfilterHeader(this.attributes, netfilterFamilies.unspecified, this.#subsystem);
    this.attributes.endMessage(start);
  }
}
