import type { AddressPart } from "../service/explanation.ts";

/** Who has one address, or why nobody can have it; plain data, as `-o json` gives it. */
export interface AddressExplanation {
  readonly address: string;
  readonly state: AddressState;
  /** One plain sentence. */
  readonly conclusion: string;
  /** The usable pool that holds it. */
  readonly pool: string | undefined;
  /** What pools have to say about it. */
  readonly poolNotes: readonly string[];
  /** Its claim, and who announces it; undefined: nobody has it. */
  readonly claim: AddressPart | undefined;
  /** `namespace/name` of all that have it. */
  readonly services: readonly string[];
  /** `namespace/name` of those that ask for it and do not have it. */
  readonly wantedBy: readonly string[];
}

/**
 * `assigned`: Services have it; `held`: kept for a while for a Service that was deleted; `reserved`: kept by a VirtualIP that a
 * user made; `used`: something else than Bellhop uses it; `free`: a pool can give it; `outside`: in no pool that gives it.
 */
export type AddressState = "assigned" | "held" | "reserved" | "used" | "free" | "outside";
