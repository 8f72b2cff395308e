import { BellhopError } from "../error/error.ts";
import type { NetlinkAnswer } from "../netlink/answer.ts";
import { readAnswer } from "../netlink/answer.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import { errnoName, errnoNumbers } from "../netlink/errno.ts";
import { align, messageHeaderLength } from "../netlink/layout.ts";
import { readMessages } from "../netlink/messages.ts";
import type { NetlinkSocket } from "../netlink-socket/netlink-socket.ts";
import { type FaultLocation, locateFault } from "./fault-location.ts";

/** What is wrong with one command. Plain data. */
export interface BatchFault {
  /** Counted from 1; 0 is the batch itself. */
  readonly command: number;
  /** A name of errno(3). */
  readonly errno: string;
  readonly location?: FaultLocation;
  /** The kernel's own words, where it has some. */
  readonly message?: string;
}

/** How a batch ended. Plain data. */
export type BatchOutcome =
  | { readonly kind: "applied" }
  /** The kernel changed nothing. */
  | { readonly kind: "refused"; readonly faults: readonly BatchFault[] }
  /** Answers were lost: the batch took effect, or it did not. */
  | { readonly kind: "unknown"; readonly reason: string };

/** What a datagram needs of the socket's buffer beyond its length (net/netlink/af_netlink.c, netlink_sendmsg). */
const sendReserve = 4096;

/**
 * Sends a batch of nf_tables commands, numbered from 1 in order, of which the last one requests an ack, and reads the answers. Does not return
 * before the kernel has committed or refused it. A batch without commands is applied.
 */
export function runBatch(socket: NetlinkSocket, bytes: Uint8Array, commandCount: number): BatchOutcome {
  if (commandCount === 0) return { kind: "applied" };
  drain(socket);
  const errno = sendWhole(socket, bytes);
  if (errno !== 0) return { kind: "refused", faults: [{ command: 0, errno: errnoName(errno) }] };
  return readOutcome(socket, bytes, commandCount);
}

/** Answers that are left of a batch whose outcome is unknown would be taken for those of the next one. */
function drain(socket: NetlinkSocket): void {
  while (socket.receive() !== "none");
}

/** Makes the buffer larger where the batch does not fit; returns 0 or a number of errno(3). */
function sendWhole(socket: NetlinkSocket, bytes: Uint8Array): number {
  const errno = socket.send(bytes);
  if (errno !== errnoNumbers.EMSGSIZE) return errno;
  try {
    socket.reserve(bytes.length + sendReserve);
  } catch (error) {
    if (!(error instanceof BellhopError)) throw error;
    return errnoNumbers.EPERM;
  }
  return socket.send(bytes);
}

function readOutcome(socket: NetlinkSocket, bytes: Uint8Array, commandCount: number): BatchOutcome {
  const errors: NetlinkAnswer[] = [];
  let acknowledged = false;
  let lost = false;
  for (;;) {
    const datagram = socket.receive();
    if (datagram === "none") break;
    if (datagram === "lost") {
      lost = true;
      continue;
    }
    for (const message of readMessages(datagram)) {
      const answer = readAnswer(message);
      if (answer === undefined) continue;
      if (answer.errno !== 0) errors.push(answer);
      else if (answer.sequence === commandCount) acknowledged = true;
    }
  }
  // One error is enough to know that nothing was changed, also where others were lost.
  if (errors.length > 0) return { kind: "refused", faults: describe(errors, bytes) };
  if (lost) return { kind: "unknown", reason: "answers were lost" };
  return acknowledged ? { kind: "applied" } : { kind: "unknown", reason: "the kernel did not answer" };
}

/** No more are of use to anyone: a batch with one wrong set has an error for each of its elements. */
const keptFaults = 20;

function describe(errors: readonly NetlinkAnswer[], bytes: Uint8Array): readonly BatchFault[] {
  const kept = errors.slice(0, keptFaults);
  const commands = commandsAt(bytes, new Set(kept.map(({ sequence }) => sequence)));
  return kept.map(({ sequence, errno, message, offset }) => {
    const command = commands.get(sequence);
    const location = command === undefined || offset === undefined ? undefined : locateFault(command, offset);
    return {
      command: sequence,
      errno: errnoName(errno),
      ...(location === undefined ? {} : { location }),
      ...(message === undefined ? {} : { message }),
    };
  });
}

/** The bytes of these commands of our own batch, header included. */
function commandsAt(bytes: Uint8Array, sequences: ReadonlySet<number>): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at + messageHeaderLength <= bytes.length; ) {
    const length = view.getUint32(at, hostIsLittleEndian);
    const sequence = view.getUint32(at + 8, hostIsLittleEndian);
    if (sequence > 0 && sequences.has(sequence)) found.set(sequence, bytes.subarray(at, at + length));
    at += align(Math.max(length, messageHeaderLength));
  }
  return found;
}
