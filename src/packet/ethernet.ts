import { macLength } from "./mac.ts";

/** EtherTypes that Bellhop speaks (IEEE 802 numbers, linux/if_ether.h). */
export const etherTypes = { arp: 0x0806, ipv6: 0x86dd } as const;

export const ethernetHeaderLength = 14;

/** The smallest frame without its check sequence (IEEE 802.3); shorter ones are padded with zeros by the sender. */
export const ethernetMinimumLength = 60;

/** An untagged Ethernet II frame. All members are views into the buffer that was decoded: copy what is to be kept. */
export interface EthernetFrame {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  /** In host order. 0x8100 is a VLAN tag: it is not followed. */
  readonly etherType: number;
  /** Everything behind the header, padding included. */
  readonly payload: Uint8Array;
}

/** Undefined for what is shorter than a header. Never throws. */
export function decodeEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  if (bytes.length < ethernetHeaderLength) return undefined;
  return {
    destination: bytes.subarray(0, macLength),
    source: bytes.subarray(macLength, 2 * macLength),
    etherType: ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0),
    payload: bytes.subarray(ethernetHeaderLength),
  };
}

/** The frame as it is sent, padded to the minimum length. */
export function encodeEthernet(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(Math.max(ethernetMinimumLength, ethernetHeaderLength + frame.payload.length));
  bytes.set(frame.destination, 0);
  bytes.set(frame.source, macLength);
  bytes[12] = frame.etherType >> 8;
  bytes[13] = frame.etherType & 0xff;
  bytes.set(frame.payload, ethernetHeaderLength);
  return bytes;
}
