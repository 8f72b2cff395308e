/** ARP for IPv4 over Ethernet (RFC 826). Packets for other kinds of hardware or protocol are not recognised. */
export interface ArpPacket {
  readonly operation: ArpOperation;
  readonly senderMac: Uint8Array;
  /** 4 bytes, network order. All zeros in an address probe (RFC 5227 section 2.1.1). */
  readonly senderAddress: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly targetAddress: Uint8Array;
}

export type ArpOperation = "request" | "reply";

export const arpLength = 28;

/** Hardware type 1 (Ethernet), protocol type 0x0800 (IPv4), lengths 6 and 4: the fixed start of every packet. */
const prefix = Uint8Array.of(0x00, 0x01, 0x08, 0x00, 6, 4);

/**
 * Undefined for a packet that is too short, has other types or lengths, or is neither request nor reply. Views, no copies; never throws.
 */
export function decodeArp(bytes: Uint8Array): ArpPacket | undefined {
  if (bytes.length < arpLength) return undefined;
  for (let index = 0; index < prefix.length; index++) if (bytes[index] !== prefix[index]) return undefined;
  const operation = decodeOperation(((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0));
  if (operation === undefined) return undefined;
  return {
    operation,
    senderMac: bytes.subarray(8, 14),
    senderAddress: bytes.subarray(14, 18),
    targetMac: bytes.subarray(18, 24),
    targetAddress: bytes.subarray(24, 28),
  };
}

function decodeOperation(code: number): ArpOperation | undefined {
  return code === 1 ? "request" : code === 2 ? "reply" : undefined;
}

export function encodeArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(arpLength);
  bytes.set(prefix, 0);
  bytes[7] = packet.operation === "request" ? 1 : 2;
  bytes.set(packet.senderMac, 8);
  bytes.set(packet.senderAddress, 14);
  bytes.set(packet.targetMac, 18);
  bytes.set(packet.targetAddress, 24);
  return bytes;
}
