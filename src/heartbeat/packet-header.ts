import { maxNameLength } from "./messages.ts";

/** No packet is longer: it fits into the smallest MTU of IPv6 (1,280 bytes, RFC 8200 section 5) with its headers, so it is never fragmented. */
export const maxPacketLength = 1_200;

/** HMAC-SHA-256-128 (RFC 4868 section 2.3). */
export const tagLength = 16;

/**
 * All numbers are in network byte order. magic 2, version 1, length of the sender's name 1, cluster 4, recipient 4, key 4, newest key 4,
 * session 6, sequence 6, echoed session 6, echoed sequence 6, flags 1, the sender's name; then the payload and the tag.
 */
const magic = 0x4248;
const version = 1;
const offsets = {
  version: 2,
  nameLength: 3,
  cluster: 4,
  recipient: 8,
  key: 12,
  newestKey: 16,
  session: 20,
  sequence: 26,
  echoSession: 32,
  echoSequence: 38,
  flags: 44,
  name: 45,
} as const;
/** Of the flags; the others are 0, and ignored. */
const dropped = 1;
/** Of sessions and sequences: up to maxUint48, which a double holds exactly. */
const numberLength = 6;

/** How much of a packet is left for the payload. `name`: the sender's, in bytes. */
export function maxPayloadLength(name: Uint8Array): number {
  return maxPacketLength - offsets.name - name.length - tagLength;
}

/** What a packet says about itself before its payload. Nothing of it may be believed before the tag was checked. */
export interface PacketHeader {
  /** First bits of the hash of the cluster's uid, and of the recipient's name. Only to tell apart why a tag would not fit. */
  readonly cluster: number;
  readonly recipient: number;
  /** Id of the key that the tag was made with, and of the newest one that the sender has. */
  readonly key: number;
  readonly newestKey: number;
  /** Random number of the sender's process, and the number of the packet among those that it sent to the recipient. */
  readonly session: number;
  readonly sequence: number;
  /** The newest of the recipient's packets that the sender has received; 0 and 0: none. */
  readonly echoSession: number;
  readonly echoSequence: number;
  /** The sender did not accept the packet that it echoes, because the recipient had not proved itself recently; the recipient should repeat it. */
  readonly dropped: boolean;
}

export interface ParsedPacket extends PacketHeader {
  /** Name of the sending node. */
  readonly from: string;
  /** Views into the datagram. */
  readonly signed: Uint8Array;
  readonly payload: Uint8Array;
  readonly tag: Uint8Array;
}

/** Writes the header; returns where the payload begins. `name`: the sender's. The buffer must have space for it. */
export function writeHeader(into: Buffer, header: PacketHeader, name: Uint8Array): number {
  into.writeUInt16BE(magic, 0);
  into[offsets.version] = version;
  into[offsets.nameLength] = name.length;
  into.writeUInt32BE(header.cluster, offsets.cluster);
  into.writeUInt32BE(header.recipient, offsets.recipient);
  into.writeUInt32BE(header.key, offsets.key);
  into.writeUInt32BE(header.newestKey, offsets.newestKey);
  into.writeUIntBE(header.session, offsets.session, numberLength);
  into.writeUIntBE(header.sequence, offsets.sequence, numberLength);
  into.writeUIntBE(header.echoSession, offsets.echoSession, numberLength);
  into.writeUIntBE(header.echoSequence, offsets.echoSequence, numberLength);
  into[offsets.flags] = header.dropped ? dropped : 0;
  into.set(name, offsets.name);
  return offsets.name + name.length;
}

/** Reads a packet from the wire. `malformed`: it is not one of ours; `otherVersion`: of a later format. Never throws. */
export function parsePacket(datagram: Uint8Array): ParsedPacket | "malformed" | "otherVersion" {
  const { length } = datagram;
  if (length < offsets.name + tagLength || length > maxPacketLength) return "malformed";
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, length);
  if (bytes.readUInt16BE(0) !== magic) return "malformed";
  if (bytes[offsets.version] !== version) return "otherVersion";
  const nameLength = bytes[offsets.nameLength] ?? 0;
  const payloadAt = offsets.name + nameLength;
  const tagAt = length - tagLength;
  if (nameLength === 0 || nameLength > maxNameLength || payloadAt > tagAt) return "malformed";
  return {
    cluster: bytes.readUInt32BE(offsets.cluster),
    recipient: bytes.readUInt32BE(offsets.recipient),
    key: bytes.readUInt32BE(offsets.key),
    newestKey: bytes.readUInt32BE(offsets.newestKey),
    session: bytes.readUIntBE(offsets.session, numberLength),
    sequence: bytes.readUIntBE(offsets.sequence, numberLength),
    echoSession: bytes.readUIntBE(offsets.echoSession, numberLength),
    echoSequence: bytes.readUIntBE(offsets.echoSequence, numberLength),
    dropped: ((bytes[offsets.flags] ?? 0) & dropped) !== 0,
    // Names of nodes are ASCII. Other bytes become other characters, and no node has such a name.
    from: bytes.toString("latin1", offsets.name, payloadAt),
    signed: bytes.subarray(0, tagAt),
    payload: bytes.subarray(payloadAt, tagAt),
    tag: bytes.subarray(tagAt),
  };
}
