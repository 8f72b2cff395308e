import type { ResponderCommand } from "./commands.ts";

/** An interface that is announced on. */
export interface AnnouncedInterface {
  readonly name: string;
  readonly index: number;
  /** Text form, for comparing. */
  readonly mac: string;
  readonly macBytes: Uint8Array;
}

/** What is announced on one interface. Addresses are keyed by their text form; the bytes are in network order. */
export interface InterfaceState extends AnnouncedInterface {
  readonly addresses: ReadonlyMap<string, Uint8Array>;
}

/** Everything that is announced, by interface name. */
export type ResponderState = ReadonlyMap<string, InterfaceState>;

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

/**
 * The commands that lead from one state to another. Withdrawals come before announcements, so that an address that moves between two
 * interfaces is never announced on both. Pure.
 */
export function commandsBetween(current: ResponderState, desired: ResponderState): readonly ResponderCommand[] {
  const withdrawals: ResponderCommand[] = [];
  const announcements: ResponderCommand[] = [];
  for (const [name, before] of current) {
    const after = desired.get(name);
    if (after === undefined) {
      withdrawals.push({ kind: "removeInterface", name });
      continue;
    }
    for (const [text, address] of before.addresses) {
      if (!after.addresses.has(text)) withdrawals.push({ kind: "withdraw", interfaceName: name, address });
    }
  }
  for (const [name, after] of desired) {
    const before = current.get(name);
    if (!sameInterface(before, after)) announcements.push(setInterfaceCommand(after));
    for (const [text, address] of after.addresses) {
      if (before?.addresses.has(text) !== true) announcements.push({ kind: "announce", interfaceName: name, address });
    }
  }
  return [...withdrawals, ...announcements];
}

export function sameInterface(left: AnnouncedInterface | undefined, right: AnnouncedInterface): boolean {
  return left !== undefined && left.index === right.index && left.mac === right.mac;
}

export function setInterfaceCommand({ name, index, macBytes }: AnnouncedInterface): ResponderCommand {
  return { kind: "setInterface", name, index, mac: macBytes };
}
