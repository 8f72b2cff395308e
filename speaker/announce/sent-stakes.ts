import type { ProbeCause } from "../responder/address-probes.ts";
import { type AnnouncedInterface, sameInterface } from "../responder/announced-interface.ts";
import type { ResponderCommand } from "../responder/commands.ts";
import type { Stake } from "../responder/stake.ts";
import { announcedInterfaceOf, type PlannedStake } from "./stake-plan.ts";

/** A stake that was sent to the responder thread, with what it was made from. */
export interface SentStake extends Stake {
  readonly probe: ProbeCause | undefined;
  readonly planned: PlannedStake;
}

interface SentInterface {
  on: AnnouncedInterface;
  /** How many stakes have it, and one more while it is watched. */
  users: number;
}

/**
 * The stakes that were sent to the responder thread, and their interfaces. `set` and `remove` return the commands that are still missing,
 * and count them as sent; each costs as much as that stake has interfaces.
 */
export class SentStakes {
  readonly #stakes = new Map<string, SentStake>();
  readonly #interfaces = new Map<string, SentInterface>();
  readonly #failed = new Set<string>();
  #watched: readonly string[] = [];

  /** Whether the thread has given up an interface of a stake. */
  get incomplete(): boolean {
    return this.#failed.size > 0;
  }

  get(address: string): SentStake | undefined {
    return this.#stakes.get(address);
  }

  get stakes(): Iterable<SentStake> {
    return this.#stakes.values();
  }

  /** The addresses of the stakes, as text. */
  get addresses(): Iterable<string> {
    return this.#stakes.keys();
  }

  set(stake: SentStake): readonly ResponderCommand[] {
    const before = this.#stakes.get(stake.address);
    const commands = interfacesOf(stake).flatMap((on) => this.#use(on));
    this.#stakes.set(stake.address, stake);
    if (before === undefined || !sameStake(before, stake))
      commands.push({ kind: "setStake", stake: plain(stake), probe: stake.probe });
    return [...commands, ...this.#release(before?.interfaces ?? [])];
  }

  /** These interfaces are set whether a stake has them or not. */
  setWatched(interfaces: readonly AnnouncedInterface[]): readonly ResponderCommand[] {
    const before = this.#watched;
    this.#watched = interfaces.map(({ name }) => name);
    return [...interfaces.flatMap((on) => this.#use(on)), ...this.#release(before)];
  }

  remove(address: string): readonly ResponderCommand[] {
    const before = this.#stakes.get(address);
    if (before === undefined) return [];
    this.#stakes.delete(address);
    return [{ kind: "removeStake", address }, ...this.#release(before.interfaces)];
  }

  /** The thread has given up the interface. */
  fail(interfaceName: string): void {
    if (this.#interfaces.has(interfaceName)) this.#failed.add(interfaceName);
  }

  /** Sets the interfaces again that the thread has given up. */
  retry(): readonly ResponderCommand[] {
    const commands = [...this.#failed].flatMap((name) => {
      const sent = this.#interfaces.get(name);
      return sent === undefined ? [] : [setInterface(sent.on)];
    });
    this.#failed.clear();
    return commands;
  }

  #use(on: AnnouncedInterface): readonly ResponderCommand[] {
    const sent = this.#interfaces.get(on.name);
    if (sent !== undefined) sent.users += 1;
    else this.#interfaces.set(on.name, { on, users: 1 });
    if (sent !== undefined && sameInterface(sent.on, on)) return [];
    if (sent !== undefined) sent.on = on;
    this.#failed.delete(on.name);
    return [setInterface(on)];
  }

  #release(interfaces: readonly string[]): readonly ResponderCommand[] {
    const commands: ResponderCommand[] = [];
    for (const name of interfaces) {
      const sent = this.#interfaces.get(name);
      if (sent === undefined) continue;
      sent.users -= 1;
      if (sent.users > 0) continue;
      this.#interfaces.delete(name);
      this.#failed.delete(name);
      commands.push({ kind: "removeInterface", name });
    }
    return commands;
  }
}

/** The interfaces of the stake for the responder. */
export function interfacesOf({ planned, interfaces }: SentStake): readonly AnnouncedInterface[] {
  return planned.links.flatMap((link) => (interfaces.includes(link.name) ? (announcedInterfaceOf(link) ?? []) : []));
}

function setInterface({ name, index, macBytes }: AnnouncedInterface): ResponderCommand {
  return { kind: "setInterface", name, index, mac: macBytes };
}

/** Without what the thread does not need: it would be copied. */
function plain({ planned: _, probe: __, ...stake }: SentStake): Stake {
  return stake;
}

function sameStake(left: SentStake, right: SentStake): boolean {
  return (
    left.term === right.term &&
    left.createdSeconds === right.createdSeconds &&
    left.armed === right.armed &&
    left.probe === right.probe &&
    left.announcedBy === right.announcedBy &&
    left.owners.join(" ") === right.owners.join(" ") &&
    left.interfaces.join(" ") === right.interfaces.join(" ")
  );
}
