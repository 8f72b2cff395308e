import type { Claim } from "../../src/heartbeat/messages.ts";
import type { Cause, Fact } from "../membership/effects.ts";

/** That this node answers for an address. */
export interface Holding {
  /** By what right. */
  readonly claim: Claim;
  /** Why it began. */
  readonly cause: Cause;
}

/** That the node has begun to announce an address, or does so by another claim. */
export type HoldingFact = Extract<Fact, { readonly kind: "holding" }>;
export type ReleasedFact = Extract<Fact, { readonly kind: "released" }>;

/** Which addresses the responder thread answers for, by what it has reported, and on which interfaces. */
export class Holdings {
  readonly #holdings = new Map<string, Holding>();
  readonly #interfaces = new Map<string, readonly string[]>();
  /** By interface: how many IPv4 addresses are announced on it. */
  readonly #ipv4 = new Map<string, number>();

  /** Returns whether the node has begun or ceased to answer for the address. */
  note(fact: HoldingFact | ReleasedFact): boolean {
    const { address } = fact;
    if (fact.kind === "released") {
      this.#setInterfaces(address, []);
      return this.#holdings.delete(address);
    }
    const before = this.#holdings.get(address);
    const cause = fact.renewed ? (before?.cause ?? fact.cause) : fact.cause;
    this.#holdings.set(address, { claim: fact.claim, cause });
    return before === undefined;
  }

  /** The interfaces of the stake in the address; counts while the address is announced. */
  setInterfaces(address: string, interfaces: readonly string[]): void {
    if (this.#holdings.has(address)) this.#setInterfaces(address, interfaces);
  }

  get(address: string): Holding | undefined {
    return this.#holdings.get(address);
  }

  has(address: string): boolean {
    return this.#holdings.has(address);
  }

  /** By address. */
  get claims(): ReadonlyMap<string, Claim> {
    return new Map([...this.#holdings].map(([address, { claim }]) => [address, claim]));
  }

  get addresses(): Iterable<string> {
    return this.#holdings.keys();
  }

  get count(): number {
    return this.#holdings.size;
  }

  /** Names of the interfaces that an IPv4 address is announced on. */
  get ipv4Interfaces(): ReadonlySet<string> {
    return new Set(this.#ipv4.keys());
  }

  #setInterfaces(address: string, interfaces: readonly string[]): void {
    for (const name of this.#interfaces.get(address) ?? []) {
      const left = (this.#ipv4.get(name) ?? 0) - 1;
      if (left > 0) this.#ipv4.set(name, left);
      else this.#ipv4.delete(name);
    }
    if (address.includes(":") || interfaces.length === 0) {
      this.#interfaces.delete(address);
      return;
    }
    this.#interfaces.set(address, interfaces);
    for (const name of interfaces) this.#ipv4.set(name, (this.#ipv4.get(name) ?? 0) + 1);
  }
}
