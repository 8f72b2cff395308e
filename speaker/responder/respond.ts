import { decodeArp, encodeArp } from "../../src/packet/arp.ts";
import { decodeEthernet, type EthernetFrame, encodeEthernet, etherTypes } from "../../src/packet/ethernet.ts";
import { decodeIpv6, encodeIpv6, ipv6Checksum, nextHeaderIcmpv6 } from "../../src/packet/ipv6.ts";
import { equalBytes, isUnicastMac } from "../../src/packet/mac.ts";
import {
  allNodes,
  decodeNeighborMessage,
  encodeNeighborMessage,
  multicastMac,
  type NeighborAdvertisement,
  type NeighborSolicitation,
  ndpHopLimit,
  setChecksum,
} from "../../src/packet/ndp.ts";

/** What is answered for on one interface. */
export interface AnswerTable {
  /** The hardware address in the replies. */
  readonly mac: Uint8Array;
  has(address: Uint8Array): boolean;
  /** Whether a hardware address is one of this node's: what it sends on another interface is not a conflict. */
  isOurs(mac: Uint8Array): boolean;
}

export type Answer =
  | { readonly kind: "reply"; readonly protocol: "arp" | "ndp"; readonly frame: Uint8Array }
  | { readonly kind: "conflict"; readonly address: Uint8Array; readonly mac: Uint8Array };

/**
 * The response to a received frame: a reply to a request for one of our addresses, the report of a conflict if another device answers
 * for one, or nothing. Pure: bytes in, bytes out. Nothing for frames to other devices, with a VLAN tag, malformed or of other protocols.
 */
export function respond(bytes: Uint8Array, table: AnswerTable): Answer | undefined {
  const frame = decodeEthernet(bytes);
  if (frame === undefined || !isUnicastMac(frame.source) || table.isOurs(frame.source)) return undefined;
  // A socket of a promiscuous interface also receives frames for other devices.
  const group = ((frame.destination[0] ?? 0) & 1) === 1;
  if (!group && !equalBytes(frame.destination, table.mac)) return undefined;
  if (frame.etherType === etherTypes.arp) return respondArp(frame, table);
  if (frame.etherType === etherTypes.ipv6) return respondNdp(frame, table);
  return undefined;
}

function respondArp(frame: EthernetFrame, table: AnswerTable): Answer | undefined {
  const packet = decodeArp(frame.payload);
  if (packet === undefined || !isUnicastMac(packet.senderMac)) return undefined;
  if (table.has(packet.senderAddress)) {
    return table.isOurs(packet.senderMac)
      ? undefined
      : { kind: "conflict", address: packet.senderAddress, mac: packet.senderMac };
  }
  // Probes, with sender address 0.0.0.0, are answered like any request: the address is in use (RFC 5227 section 2.1.1).
  if (packet.operation !== "request" || !table.has(packet.targetAddress)) return undefined;
  const payload = encodeArp({
    operation: "reply",
    senderMac: table.mac,
    senderAddress: packet.targetAddress,
    targetMac: packet.senderMac,
    targetAddress: packet.senderAddress,
  });
  const reply = { destination: packet.senderMac, source: table.mac, etherType: etherTypes.arp, payload };
  return { kind: "reply", protocol: "arp", frame: encodeEthernet(reply) };
}

function respondNdp(frame: EthernetFrame, table: AnswerTable): Answer | undefined {
  const packet = decodeIpv6(frame.payload);
  if (packet === undefined || packet.nextHeader !== nextHeaderIcmpv6 || packet.hopLimit !== ndpHopLimit)
    return undefined;
  const message = decodeNeighborMessage(packet.payload);
  if (message === undefined || !table.has(message.target)) return undefined;
  if (ipv6Checksum(packet.source, packet.destination, nextHeaderIcmpv6, packet.payload) !== 0) return undefined;
  return message.kind === "solicitation"
    ? answerSolicitation(frame, packet.source, message, table)
    : noticeAdvertisement(frame, message, table);
}

function answerSolicitation(
  frame: EthernetFrame,
  sender: Uint8Array,
  message: NeighborSolicitation,
  table: AnswerTable,
): Answer | undefined {
  const unspecified = sender.every((byte) => byte === 0);
  // RFC 4861 section 7.1.1: the unspecified source comes without the option.
  if (unspecified && message.linkAddress !== undefined) return undefined;
  if (sender[0] === 0xff) return undefined;
  const link = message.linkAddress ?? frame.source;
  if (!isUnicastMac(link)) return undefined;
  // RFC 4861 section 7.2.4: a sender without an address is answered through all nodes, unsolicited.
  const destination = unspecified ? allNodes : sender;
  return {
    kind: "reply",
    protocol: "ndp",
    frame: advertisementFrame(table.mac, message.target, {
      destination,
      destinationMac: unspecified ? multicastMac(allNodes) : link,
      solicited: !unspecified,
    }),
  };
}

function noticeAdvertisement(
  frame: EthernetFrame,
  message: NeighborAdvertisement,
  table: AnswerTable,
): Answer | undefined {
  const mac = message.linkAddress ?? frame.source;
  return table.isOurs(mac) ? undefined : { kind: "conflict", address: message.target, mac };
}

/**
 * A Neighbor Advertisement for `target`, with the override flag and the link-layer option, from the target itself. The router
 * flag is never set: an address of a Service is not a router.
 */
export function advertisementFrame(
  mac: Uint8Array,
  target: Uint8Array,
  to: { readonly destination: Uint8Array; readonly destinationMac: Uint8Array; readonly solicited: boolean },
): Uint8Array {
  const payload = encodeNeighborMessage({
    kind: "advertisement",
    target,
    linkAddress: mac,
    router: false,
    solicited: to.solicited,
    override: true,
  });
  setChecksum(payload, ipv6Checksum(target, to.destination, nextHeaderIcmpv6, payload));
  return encodeEthernet({
    destination: to.destinationMac,
    source: mac,
    etherType: etherTypes.ipv6,
    payload: encodeIpv6({
      source: target,
      destination: to.destination,
      nextHeader: nextHeaderIcmpv6,
      hopLimit: ndpHopLimit,
      payload,
    }),
  });
}
