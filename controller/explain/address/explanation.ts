import type { AddressPart } from "../service/explanation.ts";

/** Who has one address, or why no Service can have it; plain data, as `-o json` prints it. */
export interface AddressExplanation {
  readonly address: string;
  readonly state: AddressState;
  /** One plain sentence. */
  readonly conclusion: string;
  /** The usable pool that contains it. */
  readonly pool: string | undefined;
  /** Why pools that contain it do not assign it, or assign it although a Service lists it in spec.externalIPs. */
  readonly poolNotes: readonly string[];
  /** Its claim, and who announces it. Undefined: it is not claimed. */
  readonly claim: AddressPart | undefined;
  /** `namespace/name` of the Services that have it. */
  readonly services: readonly string[];
  /** `namespace/name` of the Services that request it and do not have it. */
  readonly requestedBy: readonly string[];
}

/**
 * `assigned`: Services have it; `held`: kept for a while after its Service was deleted; `reserved`: kept by a VirtualIP that a user
 * created; `used`: something other than Bellhop uses it; `free`: a pool can assign it; `outside`: no pool can assign it.
 */
export type AddressState = "assigned" | "held" | "reserved" | "used" | "free" | "outside";
