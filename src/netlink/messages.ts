import { malformed } from "./attributes.ts";
import { hostIsLittleEndian } from "./byte-order.ts";
import { align, messageHeaderLength } from "./layout.ts";

/** One message of a datagram. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** The socket that the message is an answer to, or whose change it reports; 0 is the kernel. */
  readonly portId: number;
  /** All behind the header: a view into the datagram. */
  readonly payload: Uint8Array;
}

/**
 * The messages in a datagram, in order. Throws BellhopError NetlinkMalformed where a length leads past the end or is shorter than a
 * header; it never reads outside of the datagram, and never loops.
 */
export function readMessages(datagram: Uint8Array): readonly NetlinkMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + messageHeaderLength <= datagram.length; ) {
    const length = view.getUint32(at, hostIsLittleEndian);
    if (length < messageHeaderLength || length > datagram.length - at) {
      throw malformed(`a message at byte ${at} has length ${length}, and ${datagram.length - at} bytes are left`);
    }
    messages.push({
      type: view.getUint16(at + 4, hostIsLittleEndian),
      flags: view.getUint16(at + 6, hostIsLittleEndian),
      sequence: view.getUint32(at + 8, hostIsLittleEndian),
      portId: view.getUint32(at + 12, hostIsLittleEndian),
      payload: datagram.subarray(at + messageHeaderLength, at + length),
    });
    // Not beyond 2^32: the length is at most that of the datagram.
    at += align(length);
  }
  return messages;
}
