import type { NftElements, NftSet } from "./set.ts";
import type { NftRule } from "./statement.ts";

/** A table of family inet would see both, but its nat and concatenations are younger. */
export type NftIpFamily = "ip" | "ip6";

/** netdev sees the frames of a device before everything else. */
export type NftFamily = NftIpFamily | "netdev";

export type NftHook = "prerouting" | "input" | "forward" | "output" | "postrouting" | "ingress";

/**
 * Where a chain hangs in the path of packets; its policy is to accept. Priorities are numbers: nft 1.0.6 refuses some of the names in
 * some hooks. Chains of family netdev hang on devices.
 */
export interface BaseChain {
  /** `route`: only at output; a packet whose destination its rules have changed is routed again. */
  readonly type: "filter" | "nat" | "route";
  readonly hook: NftHook;
  readonly priority: number;
  readonly devices?: readonly string[];
}

export interface NftTable {
  readonly family: NftFamily;
  readonly name: string;
}

/** One command about one table. Chains, sets and maps are created; creating one that is there already changes nothing. */
export type NftCommand = { readonly table: NftTable } & NftAction;

/** What a command does in its table. */
export type NftAction =
  | { readonly kind: "addTable" }
  | { readonly kind: "deleteTable" }
  | { readonly kind: "addChain"; readonly chain: string; readonly base?: BaseChain }
  | { readonly kind: "addRule"; readonly chain: string; readonly rule: NftRule }
  | { readonly kind: "addSet"; readonly set: NftSet }
  | { readonly kind: "addElements"; readonly set: NftSet; readonly elements: NftElements }
  /** Only keys are compared. */
  | { readonly kind: "deleteElements"; readonly set: NftSet; readonly elements: NftElements };

/**
 * Commands that the kernel carries out all together or not at all, in one table or in several. Plain data: print it, compare it, encode it, run
 * it.
 */
export interface NftTransaction {
  readonly commands: readonly NftCommand[];
}
