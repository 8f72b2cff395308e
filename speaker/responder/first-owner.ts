import { announcerOf, assumeAlive } from "../../src/placement/announcer.ts";
import type { AddressFact } from "./commands.ts";
import type { Stake } from "./stake.ts";

/** What is to be done about an address. */
export type Effect =
  | { readonly kind: "announce"; readonly text: string }
  | { readonly kind: "withdraw"; readonly text: string }
  | { readonly kind: "fact"; readonly fact: AddressFact };

/** Decides which addresses this node announces: those whose first owner it is, once they are armed. Does nothing by itself. */
export class FirstOwner {
  readonly #node: string;
  /** What is announced, and under which term. */
  readonly #holding = new Map<string, number>();
  #effects: Effect[] = [];

  constructor(node: string) {
    this.#node = node;
  }

  setStake({ text, owners, term, armed }: Stake): void {
    const before = this.#holding.get(text);
    if (!armed || announcerOf(owners, assumeAlive) !== this.#node) {
      this.removeStake(text);
      return;
    }
    if (before === term) return;
    this.#holding.set(text, term);
    if (before === undefined) this.#effects.push({ kind: "announce", text });
    this.#effects.push({ kind: "fact", fact: { kind: "holding", text, term } });
  }

  removeStake(text: string): void {
    if (!this.#holding.delete(text)) return;
    this.#effects.push({ kind: "withdraw", text }, { kind: "fact", fact: { kind: "released", text } });
  }

  /** What is to be done since the last call, in order. */
  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
