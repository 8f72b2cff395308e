import type { Attributes } from "../netlink/attributes.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";

/** One direction of a connection (CTA_TUPLE). Addresses have 4 or 16 bytes. */
export interface Tuple {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** 17 is UDP. */
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** A zone of this direction alone. */
  readonly zone?: number;
}

/** CTA_TUPLE_*, CTA_IP_*, CTA_PROTO_* (linux/netfilter/nfnetlink_conntrack.h). */
const tupleAttributes = { ip: 1, protocol: 2, zone: 3 } as const;
const ipAttributes = { 4: { source: 1, destination: 2 }, 16: { source: 3, destination: 4 } } as const;
const protocolAttributes = { number: 1, sourcePort: 2, destinationPort: 3 } as const;

/** Undefined where something is missing: such a tuple matches too much. Addresses are views. */
export function readTuple(attributes: Attributes): Tuple | undefined {
  const ip = attributes.nested(tupleAttributes.ip);
  const protocol = attributes.nested(tupleAttributes.protocol);
  if (ip === undefined || protocol === undefined) return undefined;
  const names = ip.has(ipAttributes[4].source) ? ipAttributes[4] : ipAttributes[16];
  const [source, destination] = [ip.bytes(names.source), ip.bytes(names.destination)];
  const number = protocol.u8(protocolAttributes.number);
  const sourcePort = protocol.u16Be(protocolAttributes.sourcePort);
  const destinationPort = protocol.u16Be(protocolAttributes.destinationPort);
  const zone = attributes.u16Be(tupleAttributes.zone);
  if (source === undefined || destination === undefined || source.length !== destination.length) return undefined;
  if (source.length !== 4 && source.length !== 16) return undefined;
  if (number === undefined || sourcePort === undefined || destinationPort === undefined) return undefined;
  return {
    source,
    destination,
    protocol: number,
    sourcePort,
    destinationPort,
    ...(zone === undefined ? {} : { zone }),
  };
}

/** Writes a complete tuple as an attribute of this type. */
export function writeTuple(writer: MessageWriter, type: number, tuple: Tuple): void {
  const names = tuple.source.length === 4 ? ipAttributes[4] : ipAttributes[16];
  const start = writer.beginNested(type);
  const ip = writer.beginNested(tupleAttributes.ip);
  writer.bytes(names.source, tuple.source);
  writer.bytes(names.destination, tuple.destination);
  writer.endNested(ip);
  const protocol = writer.beginNested(tupleAttributes.protocol);
  writer.u8(protocolAttributes.number, tuple.protocol);
  writer.u16Be(protocolAttributes.sourcePort, tuple.sourcePort);
  writer.u16Be(protocolAttributes.destinationPort, tuple.destinationPort);
  writer.endNested(protocol);
  if (tuple.zone !== undefined) writer.u16Be(tupleAttributes.zone, tuple.zone);
  writer.endNested(start);
}
