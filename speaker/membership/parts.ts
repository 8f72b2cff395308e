import { ClaimsExchange } from "./claims-exchange.ts";
import { ClaimsReceiver } from "./claims-receiver.ts";
import { Connection } from "./connection.ts";
import { Doubt } from "./doubt.ts";
import { EffectQueue } from "./effect-queue.ts";
import { HeartbeatReceiver } from "./heartbeat-receiver.ts";
import { Heartbeats } from "./heartbeats.ts";
import { Isolation } from "./isolation.ts";
import { Joining } from "./joining.ts";
import { Leaving } from "./leaving.ts";
import { Liveness } from "./liveness.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { NoticeBoard } from "./notices.ts";
import type { OwnState } from "./own-state.ts";
import type { PeerState } from "./peer-state.ts";
import { PeerView } from "./peer-view.ts";
import { Peers } from "./peers.ts";
import { ReceivedClaims } from "./received-claims.ts";
import { Stakes } from "./stakes.ts";
import { Witnesses } from "./witnesses.ts";

/** What Membership passes inputs and the time to. */
export interface Parts {
  readonly effects: EffectQueue;
  readonly peers: Peers;
  readonly view: PeerView;
  readonly notices: NoticeBoard;
  readonly heartbeats: Heartbeats;
  readonly receiver: MessageReceiver;
  readonly witnesses: Witnesses;
  readonly connection: Connection;
  readonly liveness: Liveness;
  readonly stakes: Stakes;
  readonly exchange: ClaimsExchange;
  readonly joining: Joining;
  readonly isolation: Isolation;
  readonly doubt: Doubt;
  readonly leaving: Leaving;
}

/** Makes the parts of a process that has just started, and connects them: what one finds out reaches the others. */
export function connectParts(own: OwnState): Parts {
  const effects = new EffectQueue();
  const received = new ReceivedClaims();
  const peers = new Peers(own, (peer) => liveness.concerned(peer));
  const notices = new NoticeBoard(own, peers, effects);
  const heartbeats = new Heartbeats(own, peers, effects, received, notices);
  const witnesses = new Witnesses(own, peers, effects, heartbeats);
  const connection = new Connection(own, effects);
  const view = new PeerView(own, peers, received);
  const exchange = new ClaimsExchange(own, peers, effects, received, (address) => stakes.entryOf(address));
  const stakes: Stakes = new Stakes({ own, peers, effects, received, view, exchange });
  const claims = new ClaimsReceiver(own, received, heartbeats, stakes);
  const changed = (peer: PeerState): void => {
    stakes.lookAt(received.heldBy(peer.node));
    stakes.lookAtUnsettled();
    peers.update(peer);
    if (!peer.isAlive) heartbeats.hurry(peer);
  };
  const liveness: Liveness = new Liveness({
    own,
    peers,
    effects,
    heartbeats,
    witnesses,
    connection,
    notices,
    heldBy: (node) => received.heldBy(node),
    changed,
    returned: (peer) => {
      exchange.resend(peer);
      if (peer.isOfInterest) notices.greet(peer.node);
    },
    restartOver: (peer) => claims.complete(peer),
    isolate: (unheard) => isolation.begin(unheard),
    alone: () => isolation.connected(),
    forget: (peer) => {
      stakes.lookAt(received.forget(peer.node).keys());
      peers.forget(peer);
    },
  });
  const joining = new Joining({
    own,
    peers,
    received,
    connection,
    effects,
    addresses: () => stakes.addresses,
    hasOtherOwners: () => stakes.hasOtherOwners,
    isolate: () => isolation.begin(false),
    alone: () => isolation.end(),
  });
  const isolation = new Isolation({ own, effects, heartbeats, liveness, stakes, joining });
  const heartbeatReceiver = new HeartbeatReceiver({
    own,
    peers,
    received,
    exchange,
    heartbeats,
    liveness,
    notices,
    changed,
    lookAt: (addresses) => stakes.lookAt(addresses),
    completeClaims: (peer) => claims.complete(peer),
  });
  return {
    effects,
    peers,
    view,
    notices,
    heartbeats,
    receiver: new MessageReceiver({
      peers,
      heartbeats: heartbeatReceiver,
      claims,
      liveness,
      witnesses,
      stakes,
      connection,
      isolation,
    }),
    witnesses,
    connection,
    liveness,
    stakes,
    exchange,
    joining,
    isolation,
    doubt: new Doubt(own, peers, received, effects),
    leaving: new Leaving(own, effects, heartbeats),
  };
}
