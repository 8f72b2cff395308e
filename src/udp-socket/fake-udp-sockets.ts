import { BellhopError } from "../error/error.ts";
import type { IpFamily } from "../ip/address.ts";
import type { UdpDestination, UdpSocket, UdpSockets } from "./udp-sockets.ts";

/** A datagram that was sent. */
export interface SentDatagram {
  readonly bytes: Uint8Array;
  readonly to: UdpDestination;
}

/** A socket in memory, for `FakePacketSockets.wait`: `inbox` holds datagrams to receive, `sent` those that were sent. */
export class FakeUdpSocket implements UdpSocket {
  readonly family: IpFamily;
  readonly port: number;
  readonly inbox: Uint8Array[] = [];
  readonly sent: SentDatagram[] = [];
  /** What the next calls of `send` return. */
  sendError = 0;
  /** What the next calls of `receive` throw. */
  broken: string | undefined;
  open = true;

  constructor(family: IpFamily, port: number) {
    this.family = family;
    this.port = port;
  }

  get readable(): boolean {
    return this.inbox.length > 0 || this.broken !== undefined;
  }

  receive(into: Uint8Array): number | undefined {
    if (!this.open) throw new BellhopError("SocketFailed", "recv failed with EBADF");
    if (this.broken !== undefined) throw new BellhopError("SocketFailed", `recv failed with ${this.broken}`);
    const datagram = this.inbox.shift();
    if (datagram === undefined) return undefined;
    if (datagram.length > into.length) return 0;
    into.set(datagram);
    return datagram.length;
  }

  send(datagram: Uint8Array, to: UdpDestination): number {
    // The buffer may be used again for the next one.
    if (this.sendError === 0) this.sent.push({ bytes: Uint8Array.from(datagram), to });
    return this.sendError;
  }

  close(): void {
    this.open = false;
  }
}

/** UDP sockets in memory. */
export class FakeUdpSockets implements UdpSockets {
  readonly sockets: FakeUdpSocket[] = [];
  /** Ports of other processes. */
  readonly taken = new Set<number>();

  open(family: IpFamily, port: number): FakeUdpSocket {
    const isTaken = this.sockets.some((other) => other.open && other.family === family && other.port === port);
    if (isTaken || this.taken.has(port)) throw new BellhopError("SocketFailed", "bind failed with EADDRINUSE");
    const socket = new FakeUdpSocket(family, port);
    this.sockets.push(socket);
    return socket;
  }

  /** The open socket of the family. */
  socket(family: IpFamily): FakeUdpSocket | undefined {
    return this.sockets.find((socket) => socket.open && socket.family === family);
  }
}
