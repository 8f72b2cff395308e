import { macLength } from "./mac.ts";

/** Neighbor Solicitation (RFC 4861 section 4.3), as ICMPv6 payload. */
export interface NeighborSolicitation {
  readonly kind: "solicitation";
  /** 16 bytes, network order. */
  readonly target: Uint8Array;
  /** From the Source Link-Layer Address option; none in duplicate address detection. */
  readonly linkAddress: Uint8Array | undefined;
}

/** Neighbor Advertisement (RFC 4861 section 4.4), as ICMPv6 payload. */
export interface NeighborAdvertisement {
  readonly kind: "advertisement";
  readonly target: Uint8Array;
  /** From the Target Link-Layer Address option. */
  readonly linkAddress: Uint8Array | undefined;
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
}

export type NeighborMessage = NeighborSolicitation | NeighborAdvertisement;

/** ICMPv6 types (RFC 4861 sections 4.3 and 4.4). */
export const ndpTypes = { solicitation: 135, advertisement: 136 } as const;

/** Every NDP packet carries it, so that none can come from beyond a router (RFC 4861 section 7.1). */
export const ndpHopLimit = 255;

/** Where the checksum is in every ICMPv6 message (RFC 4443 section 2.1). */
const checksumOffset = 2;
const headerLength = 24;
/** Options come in units of 8 bytes (RFC 4861 section 4.6); a link-layer address of Ethernet takes one. */
const optionUnit = 8;
const sourceLinkOption = 1;
const targetLinkOption = 2;

/**
 * Reads either message. Undefined for other types, a code other than 0, a message that is too short, a multicast target, or an
 * option of length 0, all of which RFC 4861 sections 7.1.1 and 7.1.2 require to be discarded. Does not look at the checksum nor at the IPv6
 * header: the caller has them. Views, no copies; never throws.
 */
export function decodeNeighborMessage(bytes: Uint8Array): NeighborMessage | undefined {
  const type = bytes[0];
  if (type !== ndpTypes.solicitation && type !== ndpTypes.advertisement) return undefined;
  if (bytes.length < headerLength || bytes[1] !== 0 || bytes[8] === 0xff) return undefined;
  const solicitation = type === ndpTypes.solicitation;
  const link = findLinkOption(bytes, solicitation ? sourceLinkOption : targetLinkOption);
  if (link === "malformed") return undefined;
  const target = bytes.subarray(8, headerLength);
  if (solicitation) return { kind: "solicitation", target, linkAddress: link };
  const flags = bytes[4] ?? 0;
  return {
    kind: "advertisement",
    target,
    linkAddress: link,
    router: (flags & 0x80) !== 0,
    solicited: (flags & 0x40) !== 0,
    override: (flags & 0x20) !== 0,
  };
}

function findLinkOption(bytes: Uint8Array, type: number): Uint8Array | undefined | "malformed" {
  let found: Uint8Array | undefined;
  for (let offset = headerLength; offset < bytes.length; ) {
    const length = (bytes[offset + 1] ?? 0) * optionUnit;
    if (length === 0 || offset + length > bytes.length) return "malformed";
    if (bytes[offset] === type && length === optionUnit) found = bytes.subarray(offset + 2, offset + 2 + macLength);
    offset += length;
  }
  return found;
}

/** The message with its checksum left 0: it covers the IPv6 addresses, so the caller puts it in with `setChecksum`. */
export function encodeNeighborMessage(message: NeighborMessage): Uint8Array {
  const bytes = new Uint8Array(headerLength + (message.linkAddress === undefined ? 0 : optionUnit));
  const solicitation = message.kind === "solicitation";
  bytes[0] = solicitation ? ndpTypes.solicitation : ndpTypes.advertisement;
  if (message.kind === "advertisement") {
    bytes[4] = (message.router ? 0x80 : 0) | (message.solicited ? 0x40 : 0) | (message.override ? 0x20 : 0);
  }
  bytes.set(message.target, 8);
  if (message.linkAddress !== undefined) {
    bytes[headerLength] = solicitation ? sourceLinkOption : targetLinkOption;
    bytes[headerLength + 1] = 1;
    bytes.set(message.linkAddress, headerLength + 2);
  }
  return bytes;
}

/** Writes the checksum, in network order, into an ICMPv6 message. */
export function setChecksum(message: Uint8Array, checksum: number): void {
  message[checksumOffset] = checksum >> 8;
  message[checksumOffset + 1] = checksum & 0xff;
}

/** ff02::1, every node on the link (RFC 4291 section 2.7.1). */
export const allNodes: Uint8Array = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** ff02::1:ffXX:XXXX, to which solicitations for the address are sent (RFC 4291 section 2.7.1). */
export function solicitedNode(address: Uint8Array): Uint8Array {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(address.subarray(13, 16), 13);
  return group;
}

/** 33:33 and the last four bytes of the group (RFC 2464 section 7). */
export function multicastMac(group: Uint8Array): Uint8Array {
  const mac = Uint8Array.of(0x33, 0x33, 0, 0, 0, 0);
  mac.set(group.subarray(12, 16), 2);
  return mac;
}
