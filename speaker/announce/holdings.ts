import type { AnnouncementCause } from "../../src/api/virtual-ip.ts";
import type { AddressFact } from "../responder/commands.ts";

/** That this node answers for an address. */
export interface Holding {
  /** The term of the list of owners by which it does. */
  readonly term: number;
  /** Why it began. */
  readonly cause: AnnouncementCause;
}

/** Which addresses the responder thread answers for, by what it has reported, and on which interfaces. */
export class Holdings {
  readonly #holdings = new Map<string, Holding>();
  readonly #interfaces = new Map<string, readonly string[]>();
  /** By interface: how many IPv4 addresses are announced on it. */
  readonly #ipv4 = new Map<string, number>();

  /** Returns whether the node has begun or ceased to answer for the address. */
  note(fact: AddressFact): boolean {
    const { text } = fact;
    if (fact.kind === "released") {
      this.#setInterfaces(text, []);
      return this.#holdings.delete(text);
    }
    const isNew = !this.#holdings.has(text);
    this.#holdings.set(text, { term: fact.term, cause: fact.cause });
    return isNew;
  }

  /** The interfaces of the stake in the address; counts while the address is announced. */
  setInterfaces(text: string, interfaces: readonly string[]): void {
    if (this.#holdings.has(text)) this.#setInterfaces(text, interfaces);
  }

  get(text: string): Holding | undefined {
    return this.#holdings.get(text);
  }

  has(text: string): boolean {
    return this.#holdings.has(text);
  }

  get texts(): Iterable<string> {
    return this.#holdings.keys();
  }

  get count(): number {
    return this.#holdings.size;
  }

  /** Names of the interfaces that an IPv4 address is announced on. */
  get ipv4Interfaces(): ReadonlySet<string> {
    return new Set(this.#ipv4.keys());
  }

  #setInterfaces(text: string, interfaces: readonly string[]): void {
    for (const name of this.#interfaces.get(text) ?? []) {
      const left = (this.#ipv4.get(name) ?? 0) - 1;
      if (left > 0) this.#ipv4.set(name, left);
      else this.#ipv4.delete(name);
    }
    if (text.includes(":") || interfaces.length === 0) {
      this.#interfaces.delete(text);
      return;
    }
    this.#interfaces.set(text, interfaces);
    for (const name of interfaces) this.#ipv4.set(name, (this.#ipv4.get(name) ?? 0) + 1);
  }
}
