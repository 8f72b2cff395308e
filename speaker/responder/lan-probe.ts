import { decodeArp, encodeArp } from "../../src/packet/arp.ts";
import { decodeEthernet, encodeEthernet, etherTypes } from "../../src/packet/ethernet.ts";
import { decodeIpv6, encodeIpv6, ipv6Checksum, nextHeaderIcmpv6 } from "../../src/packet/ipv6.ts";
import { broadcastMac, equalBytes, zeroMac } from "../../src/packet/mac.ts";
import {
  decodeNeighborMessage,
  encodeNeighborMessage,
  multicastMac,
  ndpHopLimit,
  setChecksum,
  solicitedNode,
} from "../../src/packet/ndp.ts";
import type { Stake } from "./stake.ts";

/** How a device on the LAN is asked whether it is there. Addresses have 4 or 16 bytes, both of one family. */
export interface LanProbe {
  readonly interfaceName: string;
  readonly target: Uint8Array;
  /** An address of this node on that interface, or all zeros to ask without an address (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2). */
  readonly source: Uint8Array;
}

/** How the LAN is asked about the address of the stake, on each of its interfaces. */
export function probesOf({ bytes, interfaces }: Pick<Stake, "bytes" | "interfaces">): readonly LanProbe[] {
  return interfaces.map((interfaceName) => ({ interfaceName, target: bytes, source: new Uint8Array(bytes.length) }));
}

/**
 * The frame that asks: an ARP request or a Neighbor Solicitation, as the kernel would send it. `to`: a hardware address that alone receives it, as when
 * the kernel confirms what it knows (RFC 1122 section 2.3.2.1, RFC 4861 section 7.3.3); otherwise every device does.
 */
export function probeFrame(
  mac: Uint8Array,
  { target, source }: Pick<LanProbe, "target" | "source">,
  to?: Uint8Array,
): Uint8Array {
  return target.length === 4 ? arpRequest(mac, target, source, to) : solicitation(mac, target, source, to);
}

/** Who has sent a frame. */
export interface FrameAnswer {
  /** An address of the sender: of any ARP packet the sender address, of a Neighbor Advertisement the target. A view, not a copy. */
  readonly address: Uint8Array;
  /**
   * Whether the sender must have received a request: an ARP reply to another address than its own, or a solicited Neighbor Advertisement. A node
   * that receives nothing may still send requests. False for answers to a request without a source (RFC 4861 section 7.2.4).
   */
  readonly isReply: boolean;
}

/** Undefined for frames that do not say which address their sender has, malformed ones included. Never throws. */
export function readAnswer(bytes: Uint8Array): FrameAnswer | undefined {
  const frame = decodeEthernet(bytes);
  if (frame?.etherType === etherTypes.arp) {
    const packet = decodeArp(frame.payload);
    if (packet === undefined) return undefined;
    const { operation, senderAddress, targetAddress } = packet;
    return { address: senderAddress, isReply: operation === "reply" && !equalBytes(senderAddress, targetAddress) };
  }
  if (frame?.etherType !== etherTypes.ipv6) return undefined;
  const packet = decodeIpv6(frame.payload);
  if (packet === undefined || packet.nextHeader !== nextHeaderIcmpv6 || packet.hopLimit !== ndpHopLimit)
    return undefined;
  const message = decodeNeighborMessage(packet.payload);
  return message?.kind === "advertisement" ? { address: message.target, isReply: message.solicited } : undefined;
}

function arpRequest(mac: Uint8Array, target: Uint8Array, source: Uint8Array, to = broadcastMac): Uint8Array {
  const packet = { senderMac: mac, senderAddress: source, targetMac: zeroMac, targetAddress: target } as const;
  const payload = encodeArp({ operation: "request", ...packet });
  return encodeEthernet({ destination: to, source: mac, etherType: etherTypes.arp, payload });
}

function solicitation(mac: Uint8Array, target: Uint8Array, source: Uint8Array, to?: Uint8Array): Uint8Array {
  const destination = to === undefined ? solicitedNode(target) : target;
  // RFC 4861 section 4.3: without a source there is no option either.
  const linkAddress = source.every((byte) => byte === 0) ? undefined : mac;
  const payload = encodeNeighborMessage({ kind: "solicitation", target, linkAddress });
  setChecksum(payload, ipv6Checksum(source, destination, nextHeaderIcmpv6, payload));
  const header = { source, destination, nextHeader: nextHeaderIcmpv6, hopLimit: ndpHopLimit };
  return encodeEthernet({
    destination: to ?? multicastMac(destination),
    source: mac,
    etherType: etherTypes.ipv6,
    payload: encodeIpv6({ ...header, payload }),
  });
}
