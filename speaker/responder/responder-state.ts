import type { AnnouncedInterface } from "./announced-interface.ts";

/** What is announced on one interface. Addresses are keyed by their text form; the bytes are in network order. */
export interface InterfaceState extends AnnouncedInterface {
  readonly addresses: ReadonlyMap<string, Uint8Array>;
}

/** Everything that is announced, by interface name. */
export type ResponderState = ReadonlyMap<string, InterfaceState>;
