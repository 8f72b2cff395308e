import { linux } from "../libc/constants.ts";
import {
  attachFilter,
  bindPacketSocket,
  changeMembership,
  close,
  interfaceIndex,
  openPacketSocket,
  receive,
  send,
  takeLostFrames,
} from "../libc/libc.ts";
import { Poller } from "../libc/poller.ts";
import { arpFilter, ndpFilter } from "./packet-filter.ts";
import type { PacketProtocol, PacketSocket, PacketSockets, WaitableSocket } from "./packet-sockets.ts";

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

  takeLost(): number {
    return takeLostFrames(this.fd);
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
  readonly #poller = new Poller();

  /** Writing 8 bytes with a number other than 0 to it ends `wait`; any thread of the process may. */
  get wakeFd(): number {
    return this.#poller.wakeFd;
  }

  open(interfaceName: string, protocol: PacketProtocol): LinuxPacketSocket {
    return new LinuxPacketSocket(interfaceName, protocol);
  }

  wait<Socket extends WaitableSocket>(sockets: readonly Socket[], timeoutMs: number): readonly Socket[] {
    const readable = this.#poller.wait(
      sockets.flatMap((socket) => fdOf(socket) ?? []),
      timeoutMs,
    );
    return sockets.filter((socket) => readable.includes(fdOf(socket) ?? -1));
  }

  close(): void {
    this.#poller.close();
  }
}

/** Undefined for a socket in memory. */
function fdOf(socket: WaitableSocket): number | undefined {
  return "fd" in socket && typeof socket.fd === "number" ? socket.fd : undefined;
}
