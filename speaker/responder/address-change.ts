import type { AnnouncedInterface } from "./announced-interface.ts";

/** An address on an interface. */
export interface AddressOnInterface {
  readonly on: AnnouncedInterface;
  /** Text form of the address. */
  readonly text: string;
  readonly address: Uint8Array;
}

/** Announce the address on the interface from now on, or stop announcing it there. */
export interface AddressChange extends AddressOnInterface {
  readonly kind: "announce" | "withdraw";
}
