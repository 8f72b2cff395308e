/** Next-header number of ICMPv6 (RFC 4443). */
export const nextHeaderIcmpv6 = 58;

export const ipv6HeaderLength = 40;

/** A fixed IPv6 header (RFC 8200 section 3) and what follows it. Extension headers are not followed: they are payload. */
export interface Ipv6Packet {
  /** 16 bytes, network order. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly payload: Uint8Array;
}

/** Undefined for another version, or where the stated payload is longer than what is there. Trailing padding is cut off. */
export function decodeIpv6(bytes: Uint8Array): Ipv6Packet | undefined {
  if (bytes.length < ipv6HeaderLength || (bytes[0] ?? 0) >> 4 !== 6) return undefined;
  const end = ipv6HeaderLength + (((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0));
  if (end > bytes.length) return undefined;
  return {
    nextHeader: bytes[6] ?? 0,
    hopLimit: bytes[7] ?? 0,
    source: bytes.subarray(8, 24),
    destination: bytes.subarray(24, 40),
    payload: bytes.subarray(ipv6HeaderLength, end),
  };
}

/** Traffic class and flow label are zero. */
export function encodeIpv6(packet: Ipv6Packet): Uint8Array {
  const bytes = new Uint8Array(ipv6HeaderLength + packet.payload.length);
  bytes[0] = 6 << 4;
  bytes[4] = packet.payload.length >> 8;
  bytes[5] = packet.payload.length & 0xff;
  bytes[6] = packet.nextHeader;
  bytes[7] = packet.hopLimit;
  bytes.set(packet.source, 8);
  bytes.set(packet.destination, 24);
  bytes.set(packet.payload, ipv6HeaderLength);
  return bytes;
}

/**
 * The checksum of an upper layer over its pseudo-header (RFC 8200 section 8.1). Over a packet whose checksum field is filled
 * in, the result is 0 when it is right; over one whose field is zero, it is the value to put there.
 */
export function ipv6Checksum(
  source: Uint8Array,
  destination: Uint8Array,
  nextHeader: number,
  payload: Uint8Array,
): number {
  let sum = sumWords(source) + sumWords(destination) + payload.length + nextHeader + sumWords(payload);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** Sum of the 16-bit words, an odd last byte filled with a zero. Stays exact: a payload has less than 2^16 bytes. */
function sumWords(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  return sum;
}
