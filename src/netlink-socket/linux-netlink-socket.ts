import { BellhopError } from "../error/error.ts";
import { linux } from "../libc/constants.ts";
import type { FilterInstruction } from "../libc/filter-instruction.ts";
import {
  attachFilter,
  close,
  netlinkPortId,
  openNetlinkSocket,
  receiveDatagram,
  sendDatagram,
  setSocketOption,
} from "../libc/libc.ts";
import { errnoName, errnoNumbers } from "../netlink/errno.ts";
import type { NetlinkProtocol, NetlinkSocket } from "./netlink-socket.ts";

const protocols = { netfilter: linux.NETLINK_NETFILTER, route: linux.NETLINK_ROUTE } as const;

/** Dumps fill at most 32 KiB (net/netlink/af_netlink.c, netlink_recvmsg); notifications of one commit may be longer. */
const receiveLength = 256 * 1024;

export interface NetlinkSocketOptions {
  /**
   * Bytes that may wait to be received. An answer takes about 830 of them. More than the default of the system needs CAP_NET_ADMIN; the default
   * stays where this is not set.
   */
  readonly receiveBufferBytes?: number;
  /** Groups whose notifications are received (linux/netfilter/nfnetlink.h, linux/rtnetlink.h). */
  readonly groups?: readonly number[];
  /** Which datagrams are received; the others are dropped in the kernel. */
  readonly filter?: readonly FilterInstruction[];
}

/** The kernel's netlink. */
export class LinuxNetlinkSocket implements NetlinkSocket {
  readonly fd: number;
  readonly portId: number;
  readonly #groups: readonly number[];
  readonly #buffer = new Uint8Array(receiveLength);
  #open = true;

  /** Throws BellhopError SocketFailed, also if something in the options is not permitted. */
  constructor(protocol: NetlinkProtocol, { receiveBufferBytes, groups = [], filter }: NetlinkSocketOptions = {}) {
    this.fd = openNetlinkSocket(protocols[protocol]);
    this.#groups = groups;
    try {
      this.portId = netlinkPortId(this.fd);
      // Since Linux 4.20, and the kernel then checks each attribute of a request for a dump.
      if (protocol === "route") setSocketOption(this.fd, linux.SOL_NETLINK, linux.NETLINK_GET_STRICT_CHK, 1);
      if (receiveBufferBytes !== undefined) {
        setSocketOption(this.fd, linux.SOL_SOCKET, linux.SO_RCVBUFFORCE, receiveBufferBytes);
      }
      // The filter comes before the groups: nothing unwanted may be queued in between.
      if (filter !== undefined) attachFilter(this.fd, filter);
      this.listen(true);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  send(bytes: Uint8Array): number {
    return sendDatagram(this.fd, bytes);
  }

  receive(): Uint8Array | "none" | "lost" {
    for (;;) {
      const length = receiveDatagram(this.fd, this.#buffer);
      if (length > this.#buffer.length) return "lost";
      if (length >= 0) return this.#buffer.subarray(0, length);
      switch (-length) {
        case errnoNumbers.EINTR:
          continue;
        case errnoNumbers.EAGAIN:
          return "none";
        case errnoNumbers.ENOBUFS:
          return "lost";
        default:
          throw new BellhopError("SocketFailed", `recv failed with ${errnoName(-length)}`);
      }
    }
  }

  reserve(bytes: number): void {
    setSocketOption(this.fd, linux.SOL_SOCKET, linux.SO_SNDBUFFORCE, bytes);
  }

  listen(listening: boolean): void {
    const option = listening ? linux.NETLINK_ADD_MEMBERSHIP : linux.NETLINK_DROP_MEMBERSHIP;
    for (const group of this.#groups) setSocketOption(this.fd, linux.SOL_NETLINK, option, group);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.fd);
  }
}
