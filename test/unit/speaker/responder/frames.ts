import { addressBytes, parseAddress } from "../../../../src/ip/address.ts";
import { encodeArp } from "../../../../src/packet/arp.ts";
import { encodeEthernet, etherTypes } from "../../../../src/packet/ethernet.ts";
import { encodeIpv6, ipv6Checksum } from "../../../../src/packet/ipv6.ts";
import { broadcastMac, parseMac, zeroMac } from "../../../../src/packet/mac.ts";
import {
  encodeNeighborMessage,
  multicastMac,
  type NeighborMessage,
  setChecksum,
  solicitedNode,
} from "../../../../src/packet/ndp.ts";

export function mac(text: string): Uint8Array {
  return parseMac(text) ?? new Uint8Array(6);
}

export function address(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return addressBytes(parsed);
}

export const ourMac = mac("02:00:00:00:00:01");
export const clientMac = mac("02:00:00:00:00:99");

export function arpRequest(target: string, sender = "192.0.2.99", destination = broadcastMac): Uint8Array {
  return encodeEthernet({
    destination,
    source: clientMac,
    etherType: etherTypes.arp,
    payload: encodeArp({
      operation: "request",
      senderMac: clientMac,
      senderAddress: address(sender),
      targetMac: zeroMac,
      targetAddress: address(target),
    }),
  });
}

export interface NdpFrameOptions {
  readonly source?: Uint8Array;
  readonly destination?: Uint8Array;
  readonly hopLimit?: number;
  readonly spoilChecksum?: boolean;
}

export function ndpFrame(message: NeighborMessage, options: NdpFrameOptions = {}): Uint8Array {
  const source = options.source ?? address("2001:db8::99");
  const destination = options.destination ?? solicitedNode(message.target);
  const payload = encodeNeighborMessage(message);
  const checksum = ipv6Checksum(source, destination, 58, payload);
  setChecksum(payload, options.spoilChecksum === true ? checksum ^ 1 : checksum);
  return encodeEthernet({
    destination: multicastMac(destination),
    source: clientMac,
    etherType: etherTypes.ipv6,
    payload: encodeIpv6({ source, destination, nextHeader: 58, hopLimit: options.hopLimit ?? 255, payload }),
  });
}

export function solicitation(target: string, linkAddress: Uint8Array | "none" = clientMac): NeighborMessage {
  return {
    kind: "solicitation",
    target: address(target),
    linkAddress: linkAddress === "none" ? undefined : linkAddress,
  };
}
