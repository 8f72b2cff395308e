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
 * Why a frame is ignored: it breaks a rule of its protocol, or it is in order but not about one of our addresses (to another device, with a
 * VLAN tag, of another protocol, our own).
 */
export type Ignored = "malformed" | "unrelated";

/**
 * The response to a received frame: a reply to a request for one of our addresses, the report of a conflict if another device answers
 * for one, or why there is none. Pure: bytes in, bytes out.
 */
export function respond(bytes: Uint8Array, table: AnswerTable): Answer | Ignored {
  const frame = decodeEthernet(bytes);
  if (frame === undefined || !isUnicastMac(frame.source)) return "malformed";
  if (table.isOurs(frame.source)) return "unrelated";
  // A socket of a promiscuous interface also receives frames for other devices.
  const group = ((frame.destination[0] ?? 0) & 1) === 1;
  if (!group && !equalBytes(frame.destination, table.mac)) return "unrelated";
  if (frame.etherType === etherTypes.arp) return respondArp(frame, table);
  if (frame.etherType === etherTypes.ipv6) return respondNdp(frame, table);
  return "unrelated";
}

function respondArp(frame: EthernetFrame, table: AnswerTable): Answer | Ignored {
  const packet = decodeArp(frame.payload);
  if (packet === undefined || !isUnicastMac(packet.senderMac)) return "malformed";
  if (table.has(packet.senderAddress)) {
    return table.isOurs(packet.senderMac)
      ? "unrelated"
      : { kind: "conflict", address: packet.senderAddress, mac: packet.senderMac };
  }
  // Probes, with sender address 0.0.0.0, are answered like any request: the address is in use (RFC 5227 section 2.1.1).
  if (packet.operation !== "request" || !table.has(packet.targetAddress)) return "unrelated";
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

function respondNdp(frame: EthernetFrame, table: AnswerTable): Answer | Ignored {
  const packet = decodeIpv6(frame.payload);
  if (packet === undefined) return "malformed";
  if (packet.nextHeader !== nextHeaderIcmpv6) return "unrelated";
  const message = packet.hopLimit === ndpHopLimit ? decodeNeighborMessage(packet.payload) : undefined;
  if (message === undefined) return "malformed";
  if (!table.has(message.target)) return "unrelated";
  if (ipv6Checksum(packet.source, packet.destination, nextHeaderIcmpv6, packet.payload) !== 0) return "malformed";
  return message.kind === "solicitation"
    ? answerSolicitation(frame, packet.source, message, table)
    : noticeAdvertisement(frame, message, table);
}

function answerSolicitation(
  frame: EthernetFrame,
  sender: Uint8Array,
  message: NeighborSolicitation,
  table: AnswerTable,
): Answer | Ignored {
  const unspecified = sender.every((byte) => byte === 0);
  // RFC 4861 section 7.1.1: the unspecified source comes without the option.
  if (unspecified && message.linkAddress !== undefined) return "malformed";
  if (sender[0] === 0xff) return "malformed";
  const link = message.linkAddress ?? frame.source;
  if (!isUnicastMac(link)) return "malformed";
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
): Answer | Ignored {
  const mac = message.linkAddress ?? frame.source;
  return table.isOurs(mac) ? "unrelated" : { kind: "conflict", address: message.target, mac };
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
