import { HeartbeatKey } from "../../src/heartbeat/heartbeat-key.ts";
import { decodeMessages, encodeMessage } from "../../src/heartbeat/message-codec.ts";
import type { Message } from "../../src/heartbeat/messages.ts";
import { defaultFreshMs } from "../../src/heartbeat/peer-session.ts";
import { SealedChannel } from "../../src/heartbeat/sealed-channel.ts";
import { addressFromBytes, type IpFamily, ipFamilies } from "../../src/ip/address.ts";
import { udpDestination } from "../../src/udp-socket/socket-address.ts";
import type { UdpDestination, UdpSocket, UdpSockets } from "../../src/udp-socket/udp-sockets.ts";
import type { Counters } from "./counters.ts";

/** Where the speaker of another node receives heartbeats. */
export interface PeerAddress {
  readonly node: string;
  /** 4 or 16 bytes, network order, in order of preference. */
  readonly addresses: readonly Uint8Array[];
  readonly port: number;
  /** Hardware addresses of its interfaces, 6 bytes each. */
  readonly macs: readonly Uint8Array[];
}

export interface HeartbeatTransportOptions {
  /** Name of this node. */
  readonly node: string;
  /** The UDP port of this node. */
  readonly port: number;
  /** A random number that no earlier process of this node had; see SealedChannel. */
  readonly session: number;
  /** See SealedChannel; its default, if missing. */
  readonly freshMs?: number;
  readonly udpSockets: UdpSockets;
  readonly counters: Counters;
  /** A socket could not be opened or broke; it is opened again after a while. Called again only for another reason, or after it worked. */
  readonly failed: (family: IpFamily, reason: string) => void;
}

/** Longer than every packet of ours: of a longer datagram nothing is kept. */
const bufferLength = 2_048;
/** How many datagrams of one socket are read in one turn. */
const datagramsPerTurn = 256;
/** The wait before a socket that failed is opened again. */
const reopenMs = 5_000;

/** Messages to and from the speakers of other nodes, authenticated, by UDP. Without a key nothing is sent and nothing accepted. */
export class HeartbeatTransport {
  readonly #options: HeartbeatTransportOptions;
  readonly #sockets = new Map<IpFamily, UdpSocket>();
  readonly #buffer = new Uint8Array(bufferLength);
  readonly #payload = new Uint8Array(bufferLength);
  readonly #destinations = new Map<string, readonly UdpDestination[]>();
  #channel: { readonly cluster: string; readonly sealed: SealedChannel } | undefined;
  #keys: readonly HeartbeatKey[] = [];
  #reopenAtMs = Number.NEGATIVE_INFINITY;
  /** Why a socket is missing, as it was last reported: a node without IPv6 never has one. */
  readonly #failures = new Map<IpFamily, string>();

  constructor(options: HeartbeatTransportOptions) {
    this.#options = options;
  }

  get sockets(): Iterable<UdpSocket> {
    return this.#sockets.values();
  }

  /** Opens sockets that are missing, at most every few seconds. */
  open(nowMs: number): void {
    if (this.#channel === undefined || this.#sockets.size === 2 || nowMs < this.#reopenAtMs) return;
    this.#reopenAtMs = nowMs + reopenMs;
    const { udpSockets, port } = this.#options;
    for (const family of ipFamilies) {
      if (this.#sockets.has(family)) continue;
      try {
        this.#sockets.set(family, udpSockets.open(family, port));
        this.#failures.delete(family);
      } catch (error) {
        this.#reportFailure(family, error);
      }
    }
  }

  /** `keys`: the newest first, 32 bytes each. `cluster`: the uid that identifies the cluster. */
  setKeys(cluster: string, keys: readonly Uint8Array[], nowMs: number): void {
    const { node, session, freshMs = defaultFreshMs } = this.#options;
    this.#keys = keys.map((key) => new HeartbeatKey(key));
    if (this.#channel?.cluster !== cluster) {
      this.#channel = { cluster, sealed: new SealedChannel({ node, cluster, session, freshMs }) };
      this.#channel.sealed.setPeers(this.#destinations.keys(), nowMs);
    }
    this.#channel.sealed.setKeys(this.#keys);
    this.open(nowMs);
  }

  setPeers(peers: readonly PeerAddress[], nowMs: number): void {
    this.#destinations.clear();
    for (const { node, addresses, port } of peers)
      this.#destinations.set(
        node,
        addresses.map((bytes) => udpDestination(addressFromBytes(bytes), port)),
      );
    this.#channel?.sealed.setPeers(this.#destinations.keys(), nowMs);
  }

  /** What cannot be sent is counted and dropped, as any datagram may be. */
  send(to: string, message: Message, nowMs: number): void {
    const sealed = this.#channel?.sealed;
    if (sealed === undefined) return;
    const length = encodeMessage(message, this.#payload, 0);
    const packet = sealed.seal(to, this.#payload.subarray(0, length), nowMs);
    if (packet !== undefined) this.#sendPacket(to, packet);
  }

  /** Reads what waits at the socket, and calls back for each message that is authentic and valid. */
  receive(socket: UdpSocket, nowMs: number, received: (from: string, message: Message) => void): void {
    for (let count = 0; count < datagramsPerTurn; count++) {
      let length: number | undefined;
      try {
        length = socket.receive(this.#buffer);
      } catch (error) {
        socket.close();
        this.#sockets.delete(socket.family);
        this.#reopenAtMs = nowMs + reopenMs;
        this.#reportFailure(socket.family, error);
        return;
      }
      if (length === undefined) return;
      this.#open(this.#buffer.subarray(0, length), nowMs, received);
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #reportFailure(family: IpFamily, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failures.get(family) === reason) return;
    this.#failures.set(family, reason);
    this.#options.failed(family, reason);
  }

  #open(datagram: Uint8Array, nowMs: number, received: (from: string, message: Message) => void): void {
    const { counters } = this.#options;
    const sealed = this.#channel?.sealed;
    if (sealed === undefined) return;
    const opened = sealed.open(datagram, nowMs);
    if (opened.answer && opened.from !== undefined) {
      const answer = sealed.sealAnswer(opened.from, nowMs);
      if (answer !== undefined) this.#sendPacket(opened.from, answer);
    }
    if (opened.kind === "rejected") {
      counters.add(`rejected.${opened.reason}`);
      return;
    }
    counters.add("heartbeatsReceived");
    const messages = decodeMessages(opened.payload);
    if (messages === "malformed") {
      counters.add("rejected.malformed");
      return;
    }
    for (const message of messages) received(opened.from, message);
  }

  #sendPacket(to: string, packet: Uint8Array): void {
    const { counters } = this.#options;
    for (const destination of this.#destinations.get(to) ?? []) {
      const socket = this.#sockets.get(destination.family);
      if (socket === undefined) continue;
      counters.add(socket.send(packet, destination) === 0 ? "heartbeatsSent" : "heartbeatsNotSent");
      return;
    }
    counters.add("heartbeatsNotSent");
  }
}
