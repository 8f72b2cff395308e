import { BellhopError } from "../error/error.ts";
import { readAnswer } from "./answer.ts";
import { hostIsLittleEndian } from "./byte-order.ts";
import { errnoName, errnoNumbers } from "./errno.ts";
import { controlTypes, messageFlags } from "./layout.ts";
import { type NetlinkMessage, readMessages } from "./messages.ts";

export interface DumpOptions {
  /** Whether a dump of something that is not there (ENOENT) has nothing in it, and is not refused. Missing: it is refused. */
  readonly missingIsEmpty?: boolean;
}

/**
 * Puts the datagrams of one dump together: `add` each, until `done`. A dump that was interrupted by a change (NLM_F_DUMP_INTR) may have left
 * something out or listed it twice: request it again.
 */
export class DumpReader {
  readonly #sequence: number;
  readonly #visit: (message: NetlinkMessage) => void;
  readonly #missingIsEmpty: boolean;
  #done = false;
  #interrupted = false;

  /** `visit` receives each message of the dump with this sequence number; its payload is valid only during the call. */
  constructor(
    sequence: number,
    visit: (message: NetlinkMessage) => void,
    { missingIsEmpty = false }: DumpOptions = {},
  ) {
    this.#sequence = sequence;
    this.#visit = visit;
    this.#missingIsEmpty = missingIsEmpty;
  }

  get done(): boolean {
    return this.#done;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Throws BellhopError NetlinkRefused with the kernel's error, and NetlinkMalformed. Messages of other requests are ignored. */
  add(datagram: Uint8Array): void {
    for (const message of readMessages(datagram)) {
      if (this.#done || message.sequence !== this.#sequence) continue;
      if ((message.flags & messageFlags.dumpInterrupted) !== 0) this.#interrupted = true;
      if (message.type === controlTypes.done) {
        this.#done = true;
        this.#refuse(endOf(message));
      } else if (message.type === controlTypes.error) {
        this.#done = true;
        this.#refuse(readAnswer(message)?.errno ?? 0);
      } else if (message.type > controlTypes.overrun) this.#visit(message);
    }
  }

  #refuse(errno: number): void {
    if (errno === 0 || (this.#missingIsEmpty && errno === errnoNumbers.ENOENT)) return;
    throw new BellhopError("NetlinkRefused", `the kernel refused a dump: ${errnoName(errno)}`);
  }
}

/** NLMSG_DONE carries the result of the dump, 0 or an error. */
function endOf({ payload }: NetlinkMessage): number {
  if (payload.length < 4) return 0;
  return Math.abs(new DataView(payload.buffer, payload.byteOffset, 4).getInt32(0, hostIsLittleEndian));
}
