import type { Data } from "./data.ts";
import type { Expression } from "./expression.ts";
import type { FieldName } from "./field.ts";
import type { NftSet } from "./set.ts";
import type { Verdict } from "./verdict.ts";

/** An interface: rules keep its index, and texts its name. */
export interface NftDevice {
  readonly name: string;
  readonly index: number;
}

/** `any`: at least one of the bits is set. `<=` and `>` compare bytes, so they are for types in network order. */
export type MatchOperator = "==" | "!=" | "<=" | ">" | "any";

/**
 * A statement of nft(8). Statements are carried out one after the other; the first one that does not match ends the rule. What a field needs (`tcp
 * dport`: that the packet is TCP) is matched without being said (dependencies.ts).
 */
export type Statement =
  /** `right` has the type of `left`. */
  | { readonly kind: "match"; readonly left: Expression; readonly operator: MatchOperator; readonly right: Data }
  /** Whether a set contains the key, or does not. */
  | {
      readonly kind: "lookup";
      readonly key: readonly Expression[];
      readonly operator: "in" | "not in";
      readonly set: NftSet;
    }
  /** Continues with the verdict of the element with this key, if there is one. */
  | { readonly kind: "vmap"; readonly key: readonly Expression[]; readonly map: NftSet }
  /** Overwrites a field of the packet, its mark, or a property of its connection. Checksums are kept right. */
  | { readonly kind: "set"; readonly field: FieldName; readonly to: Expression }
  /** `to` is an address, or address and port from a map. */
  | { readonly kind: "dnat"; readonly to: Expression; readonly port?: Expression }
  | { readonly kind: "masquerade"; readonly fullyRandom: boolean }
  | { readonly kind: "reject"; readonly with: "tcp reset" | "port-unreachable" }
  | { readonly kind: "notrack" }
  /** Counts packets and bytes. */
  | { readonly kind: "counter" }
  /** Adds an element to a dynamic set, or renews it. */
  | {
      readonly kind: "update";
      readonly set: NftSet;
      readonly key: readonly Expression[];
      readonly data?: readonly Expression[];
      readonly timeoutMs?: number;
    }
  /** Deletes the element with this key from a dynamic set, if there is one (Linux 5.4). In maps, the kernel requires `data` and ignores it. */
  | {
      readonly kind: "delete";
      readonly set: NftSet;
      readonly key: readonly Expression[];
      readonly data?: readonly Expression[];
    }
  /** Sends the frame out of a device; only in tables of netdev. */
  | { readonly kind: "fwd"; readonly device: NftDevice }
  /** Sends a copy out of a device: of the frame in netdev, of the packet to the next hop `to` in ip and ip6. */
  | { readonly kind: "dup"; readonly device: NftDevice; readonly to?: Expression }
  | { readonly kind: "verdict"; readonly verdict: Verdict };

/** The statements of a rule, in order. */
export type NftRule = readonly Statement[];
