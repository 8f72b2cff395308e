import type { IpFamily } from "../ip/address.ts";

/** Where a datagram is sent: made once for each peer, because it is used often. */
export interface UdpDestination {
  readonly family: IpFamily;
  /** A struct sockaddr_in or sockaddr_in6. */
  readonly socketAddress: Uint8Array;
}

/** A UDP socket (udp(7)) of one family, bound to one port on all addresses of the node. Non-blocking. Owns its file descriptor. */
export interface UdpSocket {
  readonly family: IpFamily;
  readonly port: number;
  /**
   * Copies the next datagram into the buffer and returns its length in bytes; undefined when none waits. Of a datagram that is longer than the
   * buffer nothing is kept, and the length is 0, as of an empty one. Throws BellhopError SocketFailed.
   */
  receive(into: Uint8Array): number | undefined;
  /**
   * Sends one datagram without waiting. Returns 0, or a number of errno(3): the queue is full (EAGAIN, ENOBUFS), there is no route, or a
   * firewall of this node drops it (EPERM). The destination must be of the socket's family.
   */
  send(datagram: Uint8Array, to: UdpDestination): number;
  /** May be called again. */
  close(): void;
}

/** The seam to the kernel's UDP sockets. `PacketSockets.wait` waits for them, so that one thread waits for both. */
export interface UdpSockets {
  /**
   * `port` 0: any free port. Throws BellhopError SocketFailed: another process has the port (EADDRINUSE), or the kernel lacks the family
   * (EAFNOSUPPORT).
   */
  open(family: IpFamily, port: number): UdpSocket;
}
