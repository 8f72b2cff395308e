import { BellhopError } from "../error/error.ts";
import type { IpFamily } from "../ip/address.ts";
import { linux } from "../libc/constants.ts";
import {
  bindSocket,
  close,
  openUdpSocket,
  readSocketName,
  receiveDatagram,
  sendDatagramTo,
  setSocketOption,
} from "../libc/libc.ts";
import { errnoName, errnoNumbers } from "../netlink/errno.ts";
import { encodeSocketAddress, portOf } from "./socket-address.ts";
import type { UdpDestination, UdpSocket, UdpSockets } from "./udp-sockets.ts";

/** Class selector 6 (RFC 2474 section 4.2.2.2), for network control (RFC 4594 section 3.1): sent before bulk traffic when a link is full. */
const networkControl = 48 << 2;

class LinuxUdpSocket implements UdpSocket {
  readonly family: IpFamily;
  readonly port: number;
  readonly fd: number;
  #open = true;

  constructor(family: IpFamily, port: number) {
    this.family = family;
    const isIPv4 = family === "IPv4";
    this.fd = openUdpSocket(isIPv4 ? linux.AF_INET : linux.AF_INET6);
    try {
      if (isIPv4) setSocketOption(this.fd, linux.IPPROTO_IP, linux.IP_TOS, networkControl);
      else {
        // Otherwise it would take the port in IPv4, too.
        setSocketOption(this.fd, linux.IPPROTO_IPV6, linux.IPV6_V6ONLY, 1);
        setSocketOption(this.fd, linux.IPPROTO_IPV6, linux.IPV6_TCLASS, networkControl);
      }
      const anyAddress = encodeSocketAddress({ family, value: 0n }, port);
      bindSocket(this.fd, anyAddress);
      readSocketName(this.fd, anyAddress);
      this.port = portOf(anyAddress);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  receive(into: Uint8Array): number | undefined {
    const length = receiveDatagram(this.fd, into);
    if (length >= 0) return length > into.length ? 0 : length;
    if (length === -errnoNumbers.EAGAIN || length === -errnoNumbers.EINTR) return undefined;
    throw new BellhopError("SocketFailed", `recv failed with ${errnoName(-length)}`);
  }

  send(datagram: Uint8Array, to: UdpDestination): number {
    return sendDatagramTo(this.fd, datagram, to.socketAddress);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.fd);
  }
}

/** UDP sockets of the kernel, for `LinuxPacketSockets.wait`. */
export const linuxUdpSockets: UdpSockets = { open: (family, port) => new LinuxUdpSocket(family, port) };
