import type { AnnouncementCause } from "../../src/api/virtual-ip.ts";
import type { Stake } from "./stake.ts";

/** Commands from the main thread to the responder thread. MACs have 6 bytes, in network order. */
export type ResponderCommand =
  | {
      /** The interface exists and has this hardware address. Sent again after a change: everything on it is then announced again. */
      readonly kind: "setInterface";
      readonly name: string;
      readonly index: number;
      readonly mac: Uint8Array;
    }
  | { readonly kind: "removeInterface"; readonly name: string }
  /** Takes the place of an earlier stake in the address. Its interfaces were set before. */
  | { readonly kind: "setStake"; readonly stake: Stake }
  /** The address is withdrawn, whatever other nodes do. `text`: its text form. */
  | { readonly kind: "removeStake"; readonly text: string }
  | { readonly kind: "stop" };

/** What has become true of an address. */
export type AddressFact =
  | HoldingFact
  /** This node no longer answers for it. */
  | { readonly kind: "released"; readonly text: string };

/** This node has begun to answer for an address, or does so by another list of owners than before. */
export interface HoldingFact {
  readonly kind: "holding";
  readonly text: string;
  /** The term of the list of owners by which it does. */
  readonly term: number;
  /** Why it began. */
  readonly cause: AnnouncementCause;
  /** The node that answered before, if it is known. */
  readonly from?: string | undefined;
  /** For how long no node answered, as far as this one knows. */
  readonly gapMs?: number | undefined;
}

/** Reports from the responder thread to the main thread. */
export type ResponderReport =
  | {
      /** In the order in which they became true. */
      readonly kind: "facts";
      readonly facts: readonly AddressFact[];
    }
  | {
      /** Another device answers for an address that is announced here. */
      readonly kind: "conflict";
      readonly interfaceName: string;
      readonly address: Uint8Array;
      readonly mac: Uint8Array;
    }
  | {
      /** The socket of the interface could not be opened or broke: nothing is announced on it until the next `setInterface`. */
      readonly kind: "interfaceFailed";
      readonly name: string;
      readonly reason: string;
    };

/** What the thread is started with. */
export interface ResponderStart {
  /** Name of this node. */
  readonly node: string;
  readonly counters: SharedArrayBuffer;
  /** Memory of the AliveCounter. */
  readonly aliveCount: SharedArrayBuffer;
}
