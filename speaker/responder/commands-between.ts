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

/** One address that is announced on an interface from now on, or is so no longer. */
export interface AddressChange {
  readonly kind: "announce" | "withdraw";
  readonly station: AnnouncedInterface;
  /** Text form of the address. */
  readonly text: string;
  readonly address: Uint8Array;
}

/**
 * The commands that lead from one state to another. Releases come before claims, so that an address that moves between two
 * interfaces is never on both. Pure.
 */
export function commandsBetween(current: ResponderState, desired: ResponderState): readonly ResponderCommand[] {
  const releases: ResponderCommand[] = [];
  const claims: ResponderCommand[] = [];
  for (const [name, station] of current) {
    const wanted = desired.get(name);
    if (wanted === undefined) {
      releases.push({ kind: "interfaceGone", name });
      continue;
    }
    for (const [text, address] of station.addresses) {
      if (!wanted.addresses.has(text)) releases.push({ kind: "withdraw", interfaceName: name, address });
    }
  }
  for (const [name, wanted] of desired) {
    const station = current.get(name);
    if (!sameInterface(station, wanted)) claims.push(interfaceCommand(wanted));
    for (const [text, address] of wanted.addresses) {
      if (station?.addresses.has(text) !== true) claims.push({ kind: "announce", interfaceName: name, address });
    }
  }
  return [...releases, ...claims];
}

export function sameInterface(left: AnnouncedInterface | undefined, right: AnnouncedInterface): boolean {
  return left !== undefined && left.index === right.index && left.mac === right.mac;
}

export function interfaceCommand({ name, index, macBytes }: AnnouncedInterface): ResponderCommand {
  return { kind: "interface", name, index, mac: macBytes };
}
