import type { AddressChange } from "./address-change.ts";
import { sameInterface } from "./announced-interface.ts";
import type { ResponderCommand } from "./commands.ts";
import { commandsBetween, setInterfaceCommand } from "./commands-between.ts";
import type { InterfaceState, ResponderState } from "./responder-state.ts";

interface WritableInterfaceState extends InterfaceState {
  readonly addresses: Map<string, Uint8Array>;
}

/**
 * What was sent to the responder thread, without the interfaces that it reported as failed. `set` and `change` return the commands
 * that are still missing, and count them as sent.
 */
export class SentState {
  readonly #interfaces = new Map<string, WritableInterfaceState>();

  get state(): ResponderState {
    return this.#interfaces;
  }

  /** Sets everything that is to be announced; costs O(addresses). */
  set(desired: ResponderState): readonly ResponderCommand[] {
    const commands = commandsBetween(this.#interfaces, desired);
    this.#interfaces.clear();
    for (const [name, state] of desired) {
      this.#interfaces.set(name, { ...state, addresses: new Map(state.addresses) });
    }
    return commands;
  }

  /** Changes only these addresses. Withdrawals come before announcements, as in `commandsBetween`. */
  change(changes: readonly AddressChange[]): readonly ResponderCommand[] {
    const commands: ResponderCommand[] = [];
    for (const change of changes) if (change.kind === "withdraw") this.#withdraw(change, commands);
    for (const change of changes) if (change.kind === "announce") this.#announce(change, commands);
    for (const { on } of changes) {
      if (this.#interfaces.get(on.name)?.addresses.size !== 0) continue;
      this.#interfaces.delete(on.name);
      commands.push({ kind: "removeInterface", name: on.name });
    }
    return commands;
  }

  /** The thread has given up the interface. */
  forget(interfaceName: string): void {
    this.#interfaces.delete(interfaceName);
  }

  #withdraw({ on: { name }, text, address }: AddressChange, commands: ResponderCommand[]): void {
    if (this.#interfaces.get(name)?.addresses.delete(text) === true) {
      commands.push({ kind: "withdraw", interfaceName: name, address });
    }
  }

  #announce({ on, text, address }: AddressChange, commands: ResponderCommand[]): void {
    const { name } = on;
    let sent = this.#interfaces.get(name);
    if (sent === undefined || !sameInterface(sent, on)) {
      commands.push(setInterfaceCommand(on));
      sent = { ...on, addresses: sent?.addresses ?? new Map() };
      this.#interfaces.set(name, sent);
    }
    if (sent.addresses.has(text)) return;
    sent.addresses.set(text, address);
    commands.push({ kind: "announce", interfaceName: name, address });
  }
}
