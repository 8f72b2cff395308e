import type { ResponderCommand } from "./commands.ts";

/** What is announced on one interface. Addresses are keyed by their text form; the bytes are in network order. */
export interface StationState {
  readonly index: number;
  /** Text form, for comparing. */
  readonly mac: string;
  readonly macBytes: Uint8Array;
  readonly addresses: ReadonlyMap<string, Uint8Array>;
}

/** Everything that is announced, by interface name. */
export type ResponderState = ReadonlyMap<string, StationState>;

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
    if (station === undefined || station.index !== wanted.index || station.mac !== wanted.mac) {
      claims.push({ kind: "interface", name, index: wanted.index, mac: wanted.macBytes });
    }
    for (const [text, address] of wanted.addresses) {
      if (station?.addresses.has(text) !== true) claims.push({ kind: "announce", interfaceName: name, address });
    }
  }
  return [...releases, ...claims];
}
