/** Commands from the main thread to the responder thread. Addresses are 4 or 16 bytes, MACs 6, network order. */
export type ResponderCommand =
  | {
      /** The interface exists and has this hardware address. Sent again after a change: everything on it is then announced again. */
      readonly kind: "setInterface";
      readonly name: string;
      readonly index: number;
      readonly mac: Uint8Array;
    }
  | { readonly kind: "removeInterface"; readonly name: string }
  | { readonly kind: "announce"; readonly interfaceName: string; readonly address: Uint8Array }
  | { readonly kind: "withdraw"; readonly interfaceName: string; readonly address: Uint8Array }
  | { readonly kind: "stop" };

/** Reports from the responder thread to the main thread. */
export type ResponderReport =
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
  readonly counters: SharedArrayBuffer;
  /** Memory of the AliveCounter. */
  readonly aliveCount: SharedArrayBuffer;
}
