import { BellhopError } from "../error/error.ts";
import { errnoNumbers } from "../netlink/errno.ts";
import { controlTypes, messageFlags, messageHeaderLength } from "../netlink/layout.ts";
import { MessageWriter } from "../netlink/message-writer.ts";
import { type NetlinkMessage, readMessages } from "../netlink/messages.ts";
import type { NetlinkSocket } from "./netlink-socket.ts";

/** What a fake kernel does with a request: errno, and datagrams that are received before the answer. */
export interface FakeAnswer {
  readonly errno?: number;
  readonly datagrams?: readonly Uint8Array[];
}

/** The smallest type that a subsystem of the kernel sees (NLMSG_MIN_TYPE, linux/netlink.h). */
const minimumType = 16;

/** SO_SNDBUF of a new socket (net.core.wmem_default), less what the kernel keeps for itself. */
const defaultSendLimit = 212_992 - 32;

/** A netlink socket in memory, by the kernel's rules: each request is handled within `send`, in order, as netlink_rcv_skb does. */
export class FakeNetlinkSocket implements NetlinkSocket {
  readonly portId = 4711;
  readonly #handle: (message: NetlinkMessage) => FakeAnswer;
  readonly #waiting: (Uint8Array | "lost")[] = [];
  #sendLimit = defaultSendLimit;
  #open = true;
  /** Whether it is in its groups. */
  listening = true;

  /** `handle` carries out one request of a subsystem. */
  constructor(handle: (message: NetlinkMessage) => FakeAnswer = () => ({})) {
    this.#handle = handle;
  }

  send(bytes: Uint8Array): number {
    if (!this.#open) return errnoNumbers.EBADF;
    if (bytes.length > this.#sendLimit) return errnoNumbers.EMSGSIZE;
    for (const message of readMessages(bytes)) {
      const handled = (message.flags & messageFlags.request) !== 0 && message.type >= minimumType;
      const { errno = 0, datagrams = [] } = handled ? this.#handle(message) : {};
      this.#waiting.push(...datagrams);
      if (errno !== 0 || (message.flags & messageFlags.ack) !== 0) this.#waiting.push(this.#answer(message, errno));
    }
    return 0;
  }

  receive(): Uint8Array | "none" | "lost" {
    if (!this.#open) throw new BellhopError("SocketFailed", "recv failed with EBADF");
    return this.#waiting.shift() ?? "none";
  }

  reserve(bytes: number): void {
    this.#sendLimit = bytes;
  }

  /** Makes what waits overflow, as a burst does. */
  overflow(): void {
    this.#waiting.unshift("lost");
  }

  listen(listening: boolean): void {
    this.listening = listening;
  }

  close(): void {
    this.#open = false;
  }

  #answer({ type, flags, sequence }: NetlinkMessage, errno: number): Uint8Array {
    const writer = new MessageWriter(64);
    const answer = writer.beginMessage({ type: controlTypes.error, flags: messageFlags.capped, sequence });
    const result = new DataView(new ArrayBuffer(4));
    result.setInt32(0, -errno, true);
    writer.raw(new Uint8Array(result.buffer));
    // struct nlmsgerr repeats the header of the request, whose length is not of interest here.
    const repeated = writer.beginMessage({ type, flags, sequence });
    writer.endMessage(repeated);
    writer.endMessage(answer);
    if (writer.length !== 2 * messageHeaderLength + 4) throw new Error("an answer has another length");
    return writer.toBytes();
  }
}
