/** The kinds of frames that a socket can be opened for: ARP, and ICMPv6 Neighbor Solicitations and Advertisements. */
export type PacketProtocol = "arp" | "ndp";

/** A packet socket (packet(7)) on one interface for one protocol. Owns its file descriptor; `close` may be called again. */
export interface PacketSocket {
  readonly interfaceName: string;
  readonly protocol: PacketProtocol;
  /**
   * Copies the next waiting frame into the buffer, cut to the buffer's length, and returns how many bytes it copied; undefined when no
   * frame waits. Throws BellhopError SocketFailed.
   */
  receive(into: Uint8Array): number | undefined;
  /** How many frames were lost since the last call, because nothing received them before the queue was full. Throws BellhopError SocketFailed. */
  takeLost(): number;
  /** Sends a whole frame without waiting. Throws BellhopError SocketFailed, also when the queue is full. */
  send(frame: Uint8Array): void;
  /** Makes the interface receive frames for a multicast MAC. Counted: as many `leave` as `join`. */
  join(mac: Uint8Array): void;
  leave(mac: Uint8Array): void;
  close(): void;
}

/** What `wait` accepts: a PacketSocket, or another socket that belongs to one file descriptor, such as a UdpSocket. */
export interface WaitableSocket {
  close(): void;
}

/** The seam to the kernel's packet sockets. */
export interface PacketSockets {
  /** Throws BellhopError SocketFailed: there is no such interface, or it is not permitted. */
  open(interfaceName: string, protocol: PacketProtocol): PacketSocket;
  /**
   * Blocks the thread until something waits on one of the sockets, another thread ends the wait, or the time is over. Returns the
   * sockets that can be read.
   */
  wait<Socket extends WaitableSocket>(sockets: readonly Socket[], timeoutMs: number): readonly Socket[];
}
