/** The two kinds of frames that a socket can be opened for. */
export type WireProtocol = "arp" | "ndp";

/** A raw socket on one interface for one protocol. Owns its file descriptor; `close` may be called again. */
export interface PacketSocket {
  readonly interfaceName: string;
  readonly protocol: WireProtocol;
  /** Puts the next waiting frame, cut to the buffer, into it and returns its length, or undefined when none waits. Throws BellhopError SocketFailed. */
  receive(into: Uint8Array): number | undefined;
  /** Puts a whole frame on the wire without waiting. Throws BellhopError SocketFailed, a full queue included. */
  send(frame: Uint8Array): void;
  /** Makes the interface take in frames for a multicast MAC. Counted: as many `leave` as `join`. */
  join(mac: Uint8Array): void;
  leave(mac: Uint8Array): void;
  close(): void;
}

/** The seam between the responder and the kernel. */
export interface Wire {
  /** Throws BellhopError SocketFailed: no such interface, not permitted. */
  open(interfaceName: string, protocol: WireProtocol): PacketSocket;
  /** Waits until a frame waits on one of the sockets, `wake` was called, or the time is over. Returns the readable sockets. */
  wait(sockets: readonly PacketSocket[], timeoutMs: number): readonly PacketSocket[];
}
