import type { IpAddress } from "../../../src/ip/address.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { Claim } from "../claim/claim.ts";

/** One address for the Service. */
export interface Assignment {
  readonly address: IpAddress;
  readonly pool: string | undefined;
  /** The node whose own address it is. */
  readonly node?: string | undefined;
  /** The claim that the Service holds already, or that it is to join; undefined: to be made. */
  readonly claim: Claim | undefined;
  /** Whether that claim has yet to name the Service, or to say what is true of it now. */
  readonly needsJoin: boolean;
}

/**
 * What the Service is to have, in the order of its ipFamilies, and what it cannot have. Both are there when the Service keeps
 * an address although it asks for another, or gets one of the two families that it would like.
 */
export interface Allocation {
  readonly assignments: readonly Assignment[];
  readonly reason: Reason | undefined;
  /** Whether that is all that the Service must have: a second family that it only prefers does not count. */
  readonly satisfied: boolean;
}
