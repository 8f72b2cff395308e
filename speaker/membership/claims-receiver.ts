import type { ClaimsMessage } from "../../src/heartbeat/messages.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import type { ReceivedClaims } from "./received-claims.ts";
import type { Stakes } from "./stakes.ts";

/** What follows from claims that a peer has told. */
export class ClaimsReceiver {
  readonly #own: OwnState;
  readonly #received: ReceivedClaims;
  readonly #heartbeats: Heartbeats;
  readonly #stakes: Stakes;

  constructor(own: OwnState, received: ReceivedClaims, heartbeats: Heartbeats, stakes: Stakes) {
    this.#own = own;
    this.#received = received;
    this.#heartbeats = heartbeats;
    this.#stakes = stakes;
  }

  /** The message is from the session of the peer that is known. */
  receive(peer: PeerState, message: ClaimsMessage): void {
    const changed = this.#received.apply(peer.node, message);
    this.#heartbeats.hurry(peer);
    const isLater = message.version > (peer.beat?.claimsVersion ?? 0);
    for (const address of changed) {
      if (isLater) peer.claimedSince.add(address);
      this.#stakes.told(peer.node, address);
    }
    this.complete(peer);
  }

  /** Drops what the peer no longer claims, once it has told everything. */
  complete(peer: PeerState): void {
    if (peer.beat === undefined || peer.restartUntilMs > this.#own.nowMs) return;
    this.#stakes.lookAt(this.#received.complete(peer.node, peer.beat.claimsVersion));
  }
}
