import type { MembershipStake } from "../membership/stake.ts";

/** One address that this node may announce, and how. The responder thread decides when it does. */
export interface Stake extends MembershipStake {
  /** The address as 4 or 16 bytes, network order. */
  readonly bytes: Uint8Array;
  /** Names of the interfaces that the address is announced on. */
  readonly interfaces: readonly string[];
}
