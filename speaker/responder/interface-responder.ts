import { equalBytes } from "../../src/packet/mac.ts";
import { multicastMac, solicitedNode } from "../../src/packet/ndp.ts";
import type { PacketProtocol, PacketSocket, PacketSockets } from "../../src/packet-socket/packet-sockets.ts";
import { AddressSet } from "./address-set.ts";
import type { AnswerTable } from "./respond.ts";

/**
 * One interface with what is announced on it: its addresses and the sockets that these need, opened with the first address of
 * a family and closed with the last, unless frames of the family are watched. Does nothing by itself.
 */
export class InterfaceResponder implements AnswerTable {
  readonly name: string;
  readonly index: number;
  readonly mac: Uint8Array;
  readonly addresses = new AddressSet();
  readonly #packetSockets: PacketSockets;
  readonly #isOurs: (mac: Uint8Array) => boolean;
  readonly #sockets = new Map<PacketProtocol, PacketSocket>();
  readonly #watched = new Set<PacketProtocol>();

  constructor(
    packetSockets: PacketSockets,
    link: { readonly name: string; readonly index: number; readonly mac: Uint8Array },
    isOurs: (mac: Uint8Array) => boolean,
  ) {
    this.#packetSockets = packetSockets;
    this.name = link.name;
    this.index = link.index;
    this.mac = Uint8Array.from(link.mac);
    this.#isOurs = isOurs;
  }

  get sockets(): Iterable<PacketSocket> {
    return this.#sockets.values();
  }

  has(address: Uint8Array): boolean {
    return this.addresses.has(address);
  }

  isOurs(mac: Uint8Array): boolean {
    return equalBytes(mac, this.mac) || this.#isOurs(mac);
  }

  /** Keeps a socket for the family of the address open, whether an address needs it or not. Throws as `add` does. */
  watch(address: Uint8Array): void {
    this.#watched.add(protocolOf(address));
    if (this.socketFor(address) === undefined) this.#open(address);
  }

  /** Throws BellhopError SocketFailed where the socket cannot be opened; the address is not added then. */
  add(address: Uint8Array): void {
    if (this.addresses.has(address)) return;
    const socket = this.socketFor(address) ?? this.#open(address);
    if (address.length === 16) socket.join(multicastMac(solicitedNode(address)));
    this.addresses.add(address);
  }

  remove(address: Uint8Array): void {
    if (!this.addresses.delete(address)) return;
    const protocol = protocolOf(address);
    if (this.addresses.count(address.length) > 0 || this.#watched.has(protocol)) {
      if (address.length === 16) this.#sockets.get(protocol)?.leave(multicastMac(solicitedNode(address)));
      return;
    }
    this.#sockets.get(protocol)?.close();
    this.#sockets.delete(protocol);
  }

  socketFor(address: Uint8Array): PacketSocket | undefined {
    return this.#sockets.get(protocolOf(address));
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #open(address: Uint8Array): PacketSocket {
    const socket = this.#packetSockets.open(this.name, protocolOf(address));
    this.#sockets.set(socket.protocol, socket);
    return socket;
  }
}

function protocolOf(address: Uint8Array): PacketProtocol {
  return address.length === 4 ? "arp" : "ndp";
}
