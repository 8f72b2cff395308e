import type { IpAddress, IpFamily } from "../../../src/ip/address.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { Claim } from "../claim/claim.ts";
import { needsJoin } from "../claim/sharing.ts";

/** One address of the Service. */
export interface Assignment {
  readonly address: IpAddress;
  readonly pool: string | undefined;
  /** The node whose own address it is. */
  readonly node?: string | undefined;
  /** The claim that the Service holds already, or that it is to join. Undefined: it must be created. */
  readonly claim: Claim | undefined;
  /** Whether the Service must still be added to that claim, or what is recorded of it there be updated. */
  readonly needsJoin: boolean;
}

/**
 * The addresses that the Service is to have, in the order of its ipFamilies, and why it cannot have more. Both are set when the Service
 * keeps an address although it requests another one, or gets one of two families that it prefers.
 */
export interface Allocation {
  readonly assignments: readonly Assignment[];
  readonly reason: Reason | undefined;
  /** Whether the Service has all that it requires. A second family that it only prefers is not required. */
  readonly satisfied: boolean;
  /** Why no address is assigned, by IP family; families with one are missing. Undefined: the request is refused as a whole. */
  readonly refusals?: ReadonlyMap<IpFamily, Reason>;
  /** Whether the Service must stay as it is: it is not known whose address it shows. */
  readonly unknown?: true;
}

/** The choice for one family. With both, the Service keeps what it has, although it requests to leave it. */
export type AddressChoice =
  | { readonly assignment: Assignment; readonly reason?: Reason }
  | { readonly assignment?: never; readonly reason: Reason };

/** The address of an existing claim. */
export function assignmentOf(service: ServiceView, claim: Claim): Assignment {
  return { address: claim.address, pool: claim.pool, claim, needsJoin: needsJoin(claim, service) };
}

/** An address that must be claimed. */
export function newAssignment(address: IpAddress, pool: string | undefined): Assignment {
  return { address, pool, claim: undefined, needsJoin: false };
}
