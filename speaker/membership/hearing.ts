import type { PeerView } from "./peer-view.ts";
import type { Peers } from "./peers.ts";

/** Which peers are heard, for reports. Those that this node does not hear, and others do, are in neither list. */
export interface Hearing {
  /** This node hears them, or they restart; they hear others, and can deliver at least one family. */
  readonly heard: readonly string[];
  /** Dead, or alive on a node that receives nothing. */
  readonly lost: readonly string[];
}

/** Costs as much as there are peers. */
export function hearingOf(peers: Peers, view: PeerView): Hearing {
  const now = [...peers.all].filter(({ isOfInterest }) => isOfInterest);
  return {
    heard: now.filter(({ node }) => view.isWorking(node)).map(({ node }) => node),
    lost: now.filter(({ status, isUnreachable }) => status === "dead" || isUnreachable).map(({ node }) => node),
  };
}
