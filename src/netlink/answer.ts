import { Attributes, malformed } from "./attributes.ts";
import { hostIsLittleEndian } from "./byte-order.ts";
import { align, controlTypes, messageFlags, messageHeaderLength } from "./layout.ts";
import type { NetlinkMessage } from "./messages.ts";

/** What the kernel answers to one command (NLMSG_ERROR; Documentation/userspace-api/netlink/intro.rst). */
export interface NetlinkAnswer {
  /** The sequence number of the command. */
  readonly sequence: number;
  /** 0: the command was carried out. Otherwise a number of errno(3), positive. */
  readonly errno: number;
  /** The kernel's own words, where it has some. */
  readonly message?: string;
  /** Where in the command the fault is: bytes from the beginning of its header. */
  readonly offset?: number;
  /** The type of an attribute that is missing. */
  readonly missingType?: number;
}

/** NLMSGERR_ATTR_*. */
const answerAttributes = { message: 1, offset: 2, missingType: 5 } as const;

/** The answer in a message, or undefined if the message is something else. Throws BellhopError NetlinkMalformed. */
export function readAnswer({ type, flags, payload }: NetlinkMessage): NetlinkAnswer | undefined {
  if (type !== controlTypes.error) return undefined;
  if (payload.length < 4 + messageHeaderLength) throw malformed(`an answer has ${payload.length} bytes`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const errno = Math.abs(view.getInt32(0, hostIsLittleEndian));
  const sequence = view.getUint32(4 + 8, hostIsLittleEndian);
  if ((flags & messageFlags.ackAttributes) === 0) return { sequence, errno };
  // Without CAP_ACK the whole command is repeated in front of the attributes; an ack repeats its header alone.
  const capped = (flags & messageFlags.capped) !== 0;
  const repeated = capped ? messageHeaderLength : align(view.getUint32(4, hostIsLittleEndian));
  if (repeated < messageHeaderLength || repeated > payload.length - 4) {
    throw malformed(`an answer repeats ${repeated} bytes of ${payload.length}`);
  }
  const attributes = new Attributes(payload, 4 + repeated);
  const message = attributes.text(answerAttributes.message);
  const offset = attributes.u32(answerAttributes.offset);
  const missingType = attributes.u32(answerAttributes.missingType);
  return {
    sequence,
    errno,
    ...(message === undefined ? {} : { message }),
    ...(offset === undefined ? {} : { offset }),
    ...(missingType === undefined ? {} : { missingType }),
  };
}
