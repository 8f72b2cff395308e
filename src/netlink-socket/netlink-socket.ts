/** Which part of the kernel a socket talks to. */
export type NetlinkProtocol = "netfilter" | "route";

/**
 * A netlink socket (netlink(7)). The kernel works within `send`: when it returns, every answer waits to be received, but for the parts of a dump,
 * of which each `receive` makes the next. So: send, then receive until `none`. Nothing here waits. Owns its file descriptor.
 */
export interface NetlinkSocket {
  /** What the kernel calls this socket, in the messages that report its changes to others. */
  readonly portId: number;
  /**
   * Sends messages as one datagram. Returns 0, or a number of errno(3), and then nothing has happened: EMSGSIZE if the datagram is longer
   * than the buffer that `reserve` set.
   */
  send(bytes: Uint8Array): number;
  /**
   * The next datagram: a view that is valid until the next call. `none`: no more is waiting. `lost`: messages did not fit into the socket's buffer,
   * so that what they said is unknown; later ones may follow. Throws BellhopError SocketFailed.
   */
  receive(): Uint8Array | "none" | "lost";
  /** Lets datagrams of this length be sent, in bytes. Reserves no memory. Throws BellhopError SocketFailed without CAP_NET_ADMIN. */
  reserve(bytes: number): void;
  /**
   * Leaves the groups of notifications, or joins them again: while no socket is in a group, the kernel makes no messages for it. What it would have
   * reported meanwhile is lost. Does nothing for a socket without groups. Throws BellhopError SocketFailed.
   */
  listen(listening: boolean): void;
  close(): void;
}
