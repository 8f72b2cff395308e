import type { Message } from "../../src/heartbeat/messages.ts";
import type { ClaimsReceiver } from "./claims-receiver.ts";
import type { Connection } from "./connection.ts";
import type { HeartbeatReceiver } from "./heartbeat-receiver.ts";
import type { Isolation } from "./isolation.ts";
import type { Liveness } from "./liveness.ts";
import type { PeerState } from "./peer-state.ts";
import type { Peers } from "./peers.ts";
import type { Stakes } from "./stakes.ts";
import type { Witnesses } from "./witnesses.ts";

export interface MessageReceiverParts {
  readonly peers: Peers;
  readonly heartbeats: HeartbeatReceiver;
  readonly claims: ClaimsReceiver;
  readonly liveness: Liveness;
  readonly witnesses: Witnesses;
  readonly stakes: Stakes;
  readonly connection: Connection;
  readonly isolation: Isolation;
}

/** Gives each message to the part that it is for. Any message shows that its sender is alive, and that this node is not cut off. */
export class MessageReceiver {
  readonly #parts: MessageReceiverParts;

  constructor(parts: MessageReceiverParts) {
    this.#parts = parts;
  }

  receive(from: string, message: Message): void {
    const { peers, heartbeats, claims, liveness, witnesses, stakes, connection, isolation } = this.#parts;
    if (message.kind === "heartbeat") {
      if (heartbeats.receive(from, message)) isolation.connected();
      return;
    }
    const peer = peers.ensure(from);
    if (message.kind === "claims") {
      if (peer.session !== message.session || peer.status === "left") return;
      this.#heard(peer);
      claims.receive(peer, message);
      return;
    }
    if (peer.session !== 0 && peer.status !== "left") this.#heard(peer);
    // One that is asked as a witness only. No heartbeats are expected of it, so it is like any other device on the LAN.
    if (!peer.isOfInterest) {
      connection.lanHeard();
      isolation.connected();
    }
    switch (message.kind) {
      case "question":
        if (message.of === "programs") liveness.programsQuestioned(from, message);
        else witnesses.answer(from, message);
        break;
      case "answer":
        liveness.answered(from, message);
        break;
      case "notices":
        for (const notice of message.notices) heartbeats.noticed(from, notice);
        break;
      case "conflict":
        liveness.heardElsewhere(from, message.holder);
        stakes.conflict(message);
        break;
    }
  }

  #heard(peer: PeerState): void {
    this.#parts.liveness.heard(peer);
    this.#parts.isolation.connected();
  }
}
