import type { Claim, Message } from "../../src/heartbeat/messages.ts";

/** What Membership requires to be done, in order. */
export type Effect =
  | { readonly kind: "send"; readonly to: string; readonly message: Message }
  /** Answer ARP and NDP for the address from now on, and send gratuitous frames. */
  | { readonly kind: "announce"; readonly address: string }
  /** Do not answer for the address any longer. */
  | { readonly kind: "withdraw"; readonly address: string }
  /** Send gratuitous frames for this address, which is announced, again: another node announced it as well. */
  | { readonly kind: "repeat"; readonly address: string }
  /** Answer for no address until `resume`: the thread did not run for a while, and other nodes may have taken over. */
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  /** Send an ARP or NDP request to each gateway and configured witness; `gatewayAnswered` reports an answer. */
  | { readonly kind: "askGateway" }
  /** Send an ARP or NDP request to the node, on whose LAN this one is; `nodeAnswered` reports an answer. */
  | { readonly kind: "askNode"; readonly node: string }
  /**
   * The same, sent to the hardware addresses of the node alone. The kernels of both nodes learn from it where the other one is, and deliver
   * heartbeats again. By themselves they send one request a second to a node that does not answer (retrans_time_ms, net/core/neighbour.c).
   */
  | { readonly kind: "findNode"; readonly node: string }
  /**
   * Send ARP or NDP requests for these addresses, which the node announces; `announcementAnswered` reports an answer from one of its
   * hardware addresses. A speaker that answers for them is alive, although its heartbeats do not arrive. The own node: no node is known to
   * announce them, and whatever is heard shows that this node is connected.
   */
  | { readonly kind: "askAnnounced"; readonly node: string; readonly addresses: readonly string[] }
  /**
   * Open a connection to the kubelet of the node, and wait a moment for its first byte; `programsAnswered` reports what came of it, with the same
   * `askedMs`.
   */
  | { readonly kind: "askPrograms"; readonly node: string; readonly askedMs: number }
  | { readonly kind: "fact"; readonly fact: Fact };

/** What has become true, for the main thread. */
export type Fact =
  /** This node has begun to announce the address, or announces it by another claim than before (`renewed`). */
  | {
      readonly kind: "holding";
      readonly address: string;
      readonly claim: Claim;
      readonly cause: Cause;
      readonly renewed: boolean;
      /** The node that announced it before, as far as this node knows; this node itself where an earlier speaker of it did. */
      readonly from: string | undefined;
      /** For how long, in ms, no node announced it before this: since the previous one was heard for the last time. 0: no gap is known. */
      readonly gapMs: number;
    }
  /** This node no longer announces the address. `to`: the node that announces it by a better claim, where that is the reason. */
  | { readonly kind: "released"; readonly address: string; readonly to: string | undefined }
  /** Which node announces an address that there is a stake in; undefined: none is known. */
  | { readonly kind: "holder"; readonly address: string; readonly holder: string | undefined }
  /**
   * The speaker of the node is dead; `nodeDead`: its kernel is, too, or receives nothing although the speaker is heard, or (`frozen`) it forwards,
   * and no program there answers. Reported again when `nodeDead` changes.
   */
  | { readonly kind: "peerDown"; readonly node: string; readonly nodeDead: boolean; readonly frozen?: true }
  /** The speaker is heard again, and its node receives something. */
  | { readonly kind: "peerUp"; readonly node: string }
  /** This node hears neither peers nor the gateway nor other devices, and has withdrawn everything. */
  | { readonly kind: "isolated" }
  | { readonly kind: "connected" }
  /** After `leave`: nothing is left to do, and the process may end. */
  | { readonly kind: "leaveDone" };

/** Why this node announces an address. */
export type Cause = "Start" | "Planned" | "PeerDead" | "PeerUnhealthy" | "PeerLeft";
