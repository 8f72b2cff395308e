import {
  attachFilter,
  bindPacketSocket,
  changeMembership,
  close,
  drainEventFd,
  interfaceIndex,
  linux,
  openEventFd,
  openPacketSocket,
  poll,
  receive,
  send,
  structSizes,
} from "./libc.ts";
import { arpFilter, ndpFilter } from "./packet-filter.ts";
import type { PacketProtocol, PacketSocket, PacketSockets } from "./packet-sockets.ts";

/** A socket that broke while poll slept shows as readable, so that the next `receive` says why. */
class LinuxPacketSocket implements PacketSocket {
  readonly interfaceName: string;
  readonly protocol: PacketProtocol;
  readonly fd: number;
  readonly #index: number;
  #open = true;

  constructor(interfaceName: string, protocol: PacketProtocol) {
    this.interfaceName = interfaceName;
    this.protocol = protocol;
    this.#index = interfaceIndex(interfaceName);
    this.fd = openPacketSocket();
    try {
      // The filter comes before the socket is bound: nothing unwanted may be queued in between.
      attachFilter(this.fd, protocol === "arp" ? arpFilter : ndpFilter);
      bindPacketSocket(this.fd, this.#index, protocol === "arp" ? linux.ETH_P_ARP : linux.ETH_P_IPV6);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  receive(into: Uint8Array): number | undefined {
    const length = receive(this.fd, into);
    return length === undefined ? undefined : Math.min(length, into.length);
  }

  send(frame: Uint8Array): void {
    send(this.fd, frame);
  }

  join(mac: Uint8Array): void {
    changeMembership(this.fd, this.#index, mac, "add");
  }

  leave(mac: Uint8Array): void {
    changeMembership(this.fd, this.#index, mac, "drop");
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.fd);
  }
}

/** Packet sockets of the kernel, and an eventfd by which another thread ends the wait. */
export class LinuxPacketSockets implements PacketSockets {
  /** Writing 8 bytes with a number other than 0 to it ends `wait`; any thread of the process may. */
  readonly wakeFd = openEventFd();
  #entries = new DataView(new ArrayBuffer(0));

  open(interfaceName: string, protocol: PacketProtocol): LinuxPacketSocket {
    return new LinuxPacketSocket(interfaceName, protocol);
  }

  wait(sockets: readonly PacketSocket[], timeoutMs: number): readonly PacketSocket[] {
    const mine = sockets.filter((socket) => socket instanceof LinuxPacketSocket);
    const size = structSizes.pollfd;
    if (this.#entries.byteLength !== (mine.length + 1) * size) {
      this.#entries = new DataView(new ArrayBuffer((mine.length + 1) * size));
    }
    const entries = this.#entries;
    const fds = [this.wakeFd, ...mine.map((socket) => socket.fd)];
    for (const [index, fd] of fds.entries()) {
      entries.setInt32(index * size, fd, true);
      entries.setInt16(index * size + 4, linux.POLLIN, true);
      entries.setInt16(index * size + 6, 0, true);
    }
    if (poll(new Uint8Array(entries.buffer), fds.length, timeoutMs) === 0) return [];
    if (entries.getInt16(6, true) !== 0) drainEventFd(this.wakeFd);
    return mine.filter((_, index) => entries.getInt16((index + 1) * size + 6, true) !== 0);
  }

  close(): void {
    close(this.wakeFd);
  }
}
