import { type AnnouncedInterface, sameInterface } from "./announced-interface.ts";
import type { ResponderCommand } from "./commands.ts";
import type { ResponderState } from "./responder-state.ts";

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

export function setInterfaceCommand({ name, index, macBytes }: AnnouncedInterface): ResponderCommand {
  return { kind: "setInterface", name, index, mac: macBytes };
}
