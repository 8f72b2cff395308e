import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { HeartbeatKey } from "./heartbeat-key.ts";
import { maxUint48 } from "./messages.ts";
import {
  maxPacketLength,
  maxPayloadLength,
  type ParsedPacket,
  parsePacket,
  tagLength,
  writeHeader,
} from "./packet-header.ts";
import { defaultFreshMs, PeerSession } from "./peer-session.ts";

/** What the keys of a pair of nodes are derived from, besides the key in the Secret. */
const purpose = "bellhop heartbeat 1";

/** Times freshMs: how long a peer that is no longer listed is remembered, in case it is listed again. Its packets may still be replayed. */
const unlistedFactor = 4;
/** Answers to packets that prove nothing are sent to one peer at most this often: recordings can be sent at any rate. */
const answerMs = 50;
/** The part of freshMs after which a payload is not repeated: by then there is a newer one, or none is needed. */
const repeatedDivisor = 6;

export interface SealedChannelOptions {
  /** Name of the own node. */
  readonly node: string;
  /** The uid of the Namespace kube-system, which identifies the cluster. */
  readonly cluster: string;
  /** A random number from 1 to maxUint48, another one at each start of the process. */
  readonly session: number;
  /**
   * No packet is accepted later than one and a half of this after it was sent. At least six times as long as the longest pause between two packets
   * to a peer, so that a few may be lost. Default: defaultFreshMs.
   */
  readonly freshMs?: number;
}

/** A packet that is authentic, was meant for this node, and was not accepted before. */
export interface Opened {
  readonly kind: "opened";
  /** The node that sent it. */
  readonly from: string;
  /** A view into the datagram. Empty: the packet only proves its sender. */
  readonly payload: Uint8Array;
  /** Send `sealAnswer` to the peer now: it has dropped what we sent, or may not accept our packets yet. */
  readonly answer: boolean;
}

/**
 * Why a packet is dropped. The first seven tell nothing about the sender. The last three come from a process that has the key: see Acceptance
 * in peer-session.ts.
 */
export type RejectionReason =
  | "malformed"
  | "otherVersion"
  | "otherCluster"
  | "otherRecipient"
  | "unknownSender"
  | "unknownKey"
  | "forged"
  | "replayed"
  | "stale"
  | "unproven";

export interface Rejected {
  readonly kind: "rejected";
  readonly reason: RejectionReason;
  /** The node that it claims to be from, where it can be one. */
  readonly from?: string;
  /** Send `sealAnswer` to `from` now, so that it can prove itself. */
  readonly answer: boolean;
}

/** What is known of one peer. */
interface Peer {
  readonly name: string;
  readonly recipientHint: number;
  readonly session: PeerSession;
  /** By the id of the key: what authenticates packets to the peer, and those from it. */
  sealKeys: ReadonlyMap<number, KeyObject>;
  openKeys: ReadonlyMap<number, KeyObject>;
  /** The newest key that the peer has, by what it said last. */
  newestKey: number | undefined;
  answeredAtMs: number;
  /** Its last packet was dropped because it has to prove itself first, and it does not know that yet. */
  droppedLast: boolean;
  /** The last payload to it, a copy; the number of its packet, and when it was sealed. */
  lastPayload: Uint8Array;
  lastSequence: number;
  lastSealedAtMs: number;
  /** It says that it dropped that one. */
  droppedOurLast: boolean;
  /** Undefined: it is listed. */
  unlistedAtMs: number | undefined;
}

/**
 * Authenticated packets between this node and its peers. Each is bound to the cluster, to sender and recipient, and to the processes of both by
 * an echo, so that none is accepted twice, at another node, or seconds after it was sent. They are not encrypted. Pure: time is an argument.
 */
export class SealedChannel {
  readonly #options: SealedChannelOptions;
  readonly #name: Uint8Array;
  readonly #freshMs: number;
  readonly #clusterHint: number;
  readonly #ownHint: number;
  readonly #peers = new Map<string, Peer>();
  readonly #buffer = Buffer.alloc(maxPacketLength);
  #keys: readonly HeartbeatKey[] = [];

  /** Throws RangeError for a session that is not a number from 1 to maxUint48. */
  constructor(options: SealedChannelOptions) {
    const { node, cluster, session, freshMs = defaultFreshMs } = options;
    if (!Number.isInteger(session) || session < 1 || session > maxUint48) throw new RangeError("invalid session");
    this.#options = options;
    this.#freshMs = freshMs;
    this.#name = Buffer.from(node, "latin1");
    this.#clusterHint = hintOf(cluster);
    this.#ownHint = hintOf(node);
  }

  /** How long a payload may be, in bytes. */
  get maxPayloadLength(): number {
    return maxPayloadLength(this.#name);
  }

  /** The newest key first. Packets with any of them are accepted; without keys nothing is sealed or accepted. */
  setKeys(keys: readonly HeartbeatKey[]): void {
    this.#keys = keys;
    for (const peer of this.#peers.values()) this.#forgetKeys(peer);
  }

  /** The nodes that packets are accepted from. */
  setPeers(names: Iterable<string>, nowMs: number): void {
    const listed = new Set(names);
    listed.delete(this.#options.node);
    for (const [name, peer] of this.#peers) {
      if (listed.has(name)) peer.unlistedAtMs = undefined;
      else peer.unlistedAtMs ??= nowMs;
      if (nowMs - (peer.unlistedAtMs ?? nowMs) > unlistedFactor * this.#freshMs) this.#peers.delete(name);
    }
    for (const name of listed) if (!this.#peers.has(name)) this.#peers.set(name, this.#createPeer(name));
  }

  /**
   * The packet with this payload for the peer: a view that is valid until the next call of the channel. Undefined: there is no key, or the node
   * is not a peer. Throws RangeError if the payload is longer than maxPayloadLength.
   */
  seal(to: string, payload: Uint8Array, nowMs: number): Uint8Array | undefined {
    const peer = this.#peers.get(to);
    if (peer === undefined) return undefined;
    if (payload.length > this.maxPayloadLength) throw new RangeError(`a payload of ${payload.length} bytes`);
    if (peer.lastPayload.length !== payload.length) peer.lastPayload = new Uint8Array(payload.length);
    peer.lastPayload.set(payload);
    peer.lastSealedAtMs = nowMs;
    peer.droppedOurLast = false;
    const packet = this.#seal(peer, payload, nowMs, false);
    peer.lastSequence = peer.session.sequence;
    return packet;
  }

  /**
   * A packet by which the peer can prove itself, and we to it. It repeats the last payload if the peer says that it dropped that one, and it is
   * not older than a few packets are apart. So no payload is accepted twice.
   */
  sealAnswer(to: string, nowMs: number): Uint8Array | undefined {
    const peer = this.#peers.get(to);
    if (peer === undefined) return undefined;
    const isRecent = nowMs - peer.lastSealedAtMs <= this.#freshMs / repeatedDivisor;
    if (!peer.droppedOurLast || !isRecent) return this.#seal(peer, nothing, nowMs, peer.droppedLast);
    peer.droppedOurLast = false;
    const packet = this.#seal(peer, peer.lastPayload, nowMs, peer.droppedLast);
    peer.lastSequence = peer.session.sequence;
    return packet;
  }

  /** Checks a datagram from the wire. Never throws. */
  open(datagram: Uint8Array, nowMs: number): Opened | Rejected {
    const packet = parsePacket(datagram);
    if (packet === "malformed" || packet === "otherVersion") return { kind: "rejected", reason: packet, answer: false };
    const { from } = packet;
    const peer = this.#peers.get(from);
    const fault = this.#faultOf(packet, peer);
    if (fault !== undefined || peer === undefined) {
      return { kind: "rejected", reason: fault ?? "unknownSender", from, answer: false };
    }
    const acceptance = peer.session.receive(packet, nowMs);
    switch (acceptance) {
      case "replayed":
        return { kind: "rejected", reason: acceptance, from, answer: false };
      case "stale":
      case "unproven":
        peer.droppedLast = true;
        return { kind: "rejected", reason: acceptance, from, answer: this.#mayAnswer(peer, nowMs) };
      case "accepted":
      case "acceptedFirst":
        peer.newestKey = packet.newestKey;
        peer.droppedLast = false;
        // An accepted packet that says so echoes our session.
        peer.droppedOurLast = packet.dropped && packet.echoSequence === peer.lastSequence;
        return {
          kind: "opened",
          from,
          payload: packet.payload,
          answer: packet.dropped || acceptance === "acceptedFirst",
        };
    }
  }

  #seal(peer: Peer, payload: Uint8Array, nowMs: number, dropped: boolean): Uint8Array | undefined {
    const key = this.#keyFor(peer);
    const [newest] = this.#keys;
    if (key === undefined || newest === undefined) return undefined;
    const { session, sequence } = peer.session.echo(dropped);
    const header = {
      cluster: this.#clusterHint,
      recipient: peer.recipientHint,
      key: key.id,
      newestKey: newest.id,
      session: this.#options.session,
      sequence: peer.session.nextSequence(nowMs),
      echoSession: session,
      echoSequence: sequence,
      dropped,
    };
    const payloadAt = writeHeader(this.#buffer, header, this.#name);
    this.#buffer.set(payload, payloadAt);
    const tagAt = payloadAt + payload.length;
    const signed = this.#buffer.subarray(0, tagAt);
    this.#buffer.set(tagOf(this.#keyOf(peer, "sealKeys", key), signed), tagAt);
    return this.#buffer.subarray(0, tagAt + tagLength);
  }

  /** Why the packet is not from the peer; undefined: it is. */
  #faultOf(packet: ParsedPacket, peer: Peer | undefined): RejectionReason | undefined {
    if (packet.cluster !== this.#clusterHint) return "otherCluster";
    if (packet.recipient !== this.#ownHint) return "otherRecipient";
    if (peer === undefined || peer.unlistedAtMs !== undefined) return "unknownSender";
    const key = this.#keys.find(({ id }) => id === packet.key);
    if (key === undefined) return "unknownKey";
    return timingSafeEqual(tagOf(this.#keyOf(peer, "openKeys", key), packet.signed), packet.tag) ? undefined : "forged";
  }

  /**
   * The newest key that the peer has, too. Before it said so, the former one: during a rotation it may not have the newest. One that has a key
   * that we do not know has read the Secret after us, and our newest is its former one.
   */
  #keyFor({ newestKey }: Peer): HeartbeatKey | undefined {
    const [newest, former] = this.#keys;
    if (newestKey === undefined) return former ?? newest;
    return this.#keys.find(({ id }) => id === newestKey) ?? newest;
  }

  #mayAnswer(peer: Peer, nowMs: number): boolean {
    if (nowMs - peer.answeredAtMs < answerMs) return false;
    peer.answeredAtMs = nowMs;
    return true;
  }

  #createPeer(name: string): Peer {
    return {
      name,
      recipientHint: hintOf(name),
      session: new PeerSession(this.#options.session, this.#freshMs),
      sealKeys: noKeys,
      openKeys: noKeys,
      newestKey: undefined,
      answeredAtMs: Number.NEGATIVE_INFINITY,
      droppedLast: false,
      lastPayload: nothing,
      lastSequence: 0,
      lastSealedAtMs: Number.NEGATIVE_INFINITY,
      droppedOurLast: false,
      unlistedAtMs: undefined,
    };
  }

  #forgetKeys(peer: Peer): void {
    const ids = new Set(this.#keys.map(({ id }) => id));
    const kept = (keys: ReadonlyMap<number, KeyObject>) => new Map([...keys].filter(([id]) => ids.has(id)));
    peer.sealKeys = kept(peer.sealKeys);
    peer.openKeys = kept(peer.openKeys);
  }

  /** What authenticates packets to the peer (`sealKeys`), or from it. */
  #keyOf(peer: Peer, keys: "sealKeys" | "openKeys", key: HeartbeatKey): KeyObject {
    const known = peer[keys].get(key.id);
    if (known !== undefined) return known;
    const { node } = this.#options;
    const [from, to] = keys === "sealKeys" ? [node, peer.name] : [peer.name, node];
    const made = this.#deriveKey(key, from, to);
    peer[keys] = new Map([...peer[keys], [key.id, made]]);
    return made;
  }

  /** A key of its own for each cluster, sender and recipient: none of these can be exchanged, although the packet does not contain them all. */
  #deriveKey(key: HeartbeatKey, from: string, to: string): KeyObject {
    const text = [purpose, this.#options.cluster, from, to].join("\0");
    return createSecretKey(createHmac("sha256", key.object).update(text).digest());
  }
}

const nothing = new Uint8Array(0);
const noKeys: ReadonlyMap<number, KeyObject> = new Map();

function tagOf(key: KeyObject, signed: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(signed).digest().subarray(0, tagLength);
}

function hintOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0);
}
