import { HeartbeatKey } from "../../../../../src/heartbeat/heartbeat-key.ts";
import { decodeMessages, encodeMessage } from "../../../../../src/heartbeat/message-codec.ts";
import type { Message } from "../../../../../src/heartbeat/messages.ts";
import { maxPacketLength } from "../../../../../src/heartbeat/packet-header.ts";
import { SealedChannel } from "../../../../../src/heartbeat/sealed-channel.ts";

const key = new HeartbeatKey(new Uint8Array(32).fill(7));

/** Messages as authenticated packets, as between real nodes; for one process of one node. */
export class SealedWire {
  readonly #channel: SealedChannel;
  readonly #payload = new Uint8Array(maxPacketLength);

  constructor(node: string, peers: readonly string[], session: number, nowMs: number) {
    this.#channel = new SealedChannel({ node, cluster: "a-cluster", session });
    this.#channel.setKeys([key]);
    this.#channel.setPeers(peers, nowMs);
  }

  seal(to: string, message: Message, nowMs: number): Uint8Array | undefined {
    const length = encodeMessage(message, this.#payload, 0);
    return copyOf(this.#channel.seal(to, this.#payload.subarray(0, length), nowMs));
  }

  /** `answer`: a packet to send back. */
  open(
    packet: Uint8Array,
    nowMs: number,
  ): { readonly from: string; readonly messages: readonly Message[]; readonly answer: Uint8Array | undefined } {
    const opened = this.#channel.open(packet, nowMs);
    const from = opened.from ?? "";
    const answer = opened.answer ? copyOf(this.#channel.sealAnswer(from, nowMs)) : undefined;
    if (opened.kind === "rejected") return { from, messages: [], answer };
    const messages = decodeMessages(opened.payload);
    if (messages === "malformed") throw new Error(`an authentic packet of ${from} is malformed`);
    return { from, messages, answer };
  }
}

/** What the channel returns is valid until its next call. */
function copyOf(packet: Uint8Array | undefined): Uint8Array | undefined {
  return packet === undefined ? undefined : Uint8Array.from(packet);
}
