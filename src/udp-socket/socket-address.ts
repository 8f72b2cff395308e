import { addressBytes, type IpAddress } from "../ip/address.ts";
import { linux } from "../libc/constants.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import type { UdpDestination } from "./udp-sockets.ts";

/** sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6) (linux/in.h, linux/in6.h). */
const ipv4Length = 16;
const ipv6Length = 28;
const portOffset = 2;
/** sin_addr, and sin6_addr after the flow label. */
const ipv4Offset = 4;
const ipv6Offset = 8;

export function udpDestination(address: IpAddress, port: number): UdpDestination {
  return { family: address.family, socketAddress: encodeSocketAddress(address, port) };
}

/** The struct of the family: family in host order, port and address in network order, no flow label and no scope. */
export function encodeSocketAddress(address: IpAddress, port: number): Uint8Array<ArrayBuffer> {
  const isIPv4 = address.family === "IPv4";
  const bytes = new Uint8Array(isIPv4 ? ipv4Length : ipv6Length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isIPv4 ? linux.AF_INET : linux.AF_INET6, hostIsLittleEndian);
  view.setUint16(portOffset, port, false);
  bytes.set(addressBytes(address), isIPv4 ? ipv4Offset : ipv6Offset);
  return bytes;
}

/** The port in such a struct. */
export function portOf(socketAddress: Uint8Array): number {
  return new DataView(socketAddress.buffer, socketAddress.byteOffset).getUint16(portOffset, false);
}
