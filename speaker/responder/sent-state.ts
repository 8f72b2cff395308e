import type { ResponderCommand } from "./commands.ts";
import {
  type AddressChange,
  commandsBetween,
  type InterfaceState,
  interfaceCommand,
  type ResponderState,
  sameInterface,
} from "./commands-between.ts";

interface WritableStation extends InterfaceState {
  readonly addresses: Map<string, Uint8Array>;
}

/** What the responder thread was told, less what it said it cannot do. Each verb gives the commands that tell it the rest. */
export class SentState {
  readonly #stations = new Map<string, WritableStation>();

  get state(): ResponderState {
    return this.#stations;
  }

  /** Everything anew; costs as much as there are addresses. */
  set(desired: ResponderState): readonly ResponderCommand[] {
    const commands = commandsBetween(this.#stations, desired);
    this.#stations.clear();
    for (const [name, station] of desired) {
      this.#stations.set(name, { ...station, addresses: new Map(station.addresses) });
    }
    return commands;
  }

  /** These addresses alone. Releases come before claims, as in `commandsBetween`. */
  change(changes: readonly AddressChange[]): readonly ResponderCommand[] {
    const commands: ResponderCommand[] = [];
    for (const change of changes) if (change.kind === "withdraw") this.#withdraw(change, commands);
    for (const change of changes) if (change.kind === "announce") this.#announce(change, commands);
    for (const { station } of changes) {
      if (this.#stations.get(station.name)?.addresses.size !== 0) continue;
      this.#stations.delete(station.name);
      commands.push({ kind: "interfaceGone", name: station.name });
    }
    return commands;
  }

  /** The thread has given up the interface. */
  forget(interfaceName: string): void {
    this.#stations.delete(interfaceName);
  }

  #withdraw({ station: { name }, text, address }: AddressChange, commands: ResponderCommand[]): void {
    if (this.#stations.get(name)?.addresses.delete(text) === true) {
      commands.push({ kind: "withdraw", interfaceName: name, address });
    }
  }

  #announce({ station, text, address }: AddressChange, commands: ResponderCommand[]): void {
    const { name } = station;
    let told = this.#stations.get(name);
    if (told === undefined || !sameInterface(told, station)) {
      commands.push(interfaceCommand(station));
      told = { ...station, addresses: told?.addresses ?? new Map() };
      this.#stations.set(name, told);
    }
    if (told.addresses.has(text)) return;
    told.addresses.set(text, address);
    commands.push({ kind: "announce", interfaceName: name, address });
  }
}
