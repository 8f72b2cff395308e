import { BellhopError } from "../error/error.ts";
import type { PacketProtocol, PacketSocket, PacketSockets, WaitableSocket } from "./packet-sockets.ts";

/** A socket in memory: `inbox` holds frames to receive, `sent` the frames that were sent. */
export class FakePacketSocket implements PacketSocket {
  readonly interfaceName: string;
  readonly protocol: PacketProtocol;
  readonly inbox: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  readonly groups: Uint8Array[] = [];
  /** What the next `takeLost` returns. */
  lost = 0;
  /** What the next calls throw, as after the interface went away. */
  broken: string | undefined;
  open = true;

  constructor(interfaceName: string, protocol: PacketProtocol) {
    this.interfaceName = interfaceName;
    this.protocol = protocol;
  }

  get readable(): boolean {
    return this.inbox.length > 0 || this.broken !== undefined;
  }

  receive(into: Uint8Array): number | undefined {
    this.#check();
    const frame = this.inbox.shift();
    if (frame === undefined) return undefined;
    into.set(frame.subarray(0, into.length));
    return Math.min(frame.length, into.length);
  }

  takeLost(): number {
    this.#check();
    const { lost } = this;
    this.lost = 0;
    return lost;
  }

  send(frame: Uint8Array): void {
    this.#check();
    this.sent.push(frame);
  }

  join(mac: Uint8Array): void {
    this.groups.push(mac);
  }

  leave(mac: Uint8Array): void {
    const index = this.groups.findIndex((group) => Buffer.compare(group, mac) === 0);
    if (index < 0) throw new BellhopError("SocketFailed", "setsockopt failed with EADDRNOTAVAIL");
    this.groups.splice(index, 1);
  }

  close(): void {
    this.open = false;
  }

  #check(): void {
    if (!this.open) throw new BellhopError("SocketFailed", "failed with EBADF");
    if (this.broken !== undefined) throw new BellhopError("SocketFailed", `failed with ${this.broken}`);
  }
}

/** Packet sockets in memory. `wait` never blocks. */
export class FakePacketSockets implements PacketSockets {
  readonly interfaces: Set<string>;
  readonly sockets: FakePacketSocket[] = [];

  constructor(...interfaces: string[]) {
    this.interfaces = new Set(interfaces);
  }

  open(interfaceName: string, protocol: PacketProtocol): FakePacketSocket {
    if (!this.interfaces.has(interfaceName)) {
      throw new BellhopError("SocketFailed", `there is no interface ${interfaceName}: ENODEV`);
    }
    const socket = new FakePacketSocket(interfaceName, protocol);
    this.sockets.push(socket);
    return socket;
  }

  wait<Socket extends WaitableSocket>(sockets: readonly Socket[]): readonly Socket[] {
    return sockets.filter((socket) => "readable" in socket && socket.readable === true);
  }

  /** The open socket for the protocol on the interface. */
  socket(interfaceName: string, protocol: PacketProtocol): FakePacketSocket | undefined {
    return this.sockets.find(
      (socket) => socket.open && socket.interfaceName === interfaceName && socket.protocol === protocol,
    );
  }
}
