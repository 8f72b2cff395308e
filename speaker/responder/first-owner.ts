import type { AnnouncementCause } from "../../src/api/virtual-ip.ts";
import { announcerOf, assumeAlive } from "../../src/placement/announcer.ts";
import type { AddressFact } from "./commands.ts";
import type { Stake } from "./stake.ts";

/** What is to be done about an address. */
export type Effect =
  | { readonly kind: "announce"; readonly text: string }
  | { readonly kind: "withdraw"; readonly text: string }
  | { readonly kind: "fact"; readonly fact: AddressFact };

interface Decided {
  readonly term: number;
  readonly cause: AnnouncementCause;
}

/** Decides which addresses this node announces: those whose first owner it is, once they are armed. Does nothing by itself. */
export class FirstOwner {
  readonly #node: string;
  /** The first owner of each stake. */
  readonly #announcers = new Map<string, string>();
  readonly #holding = new Map<string, Decided>();
  #effects: Effect[] = [];

  constructor(node: string) {
    this.#node = node;
  }

  setStake({ text, owners, term, armed }: Stake): void {
    const before = this.#holding.get(text);
    const announcer = announcerOf(owners, assumeAlive) ?? "";
    const earlier = this.#announcers.get(text);
    // The owner before is known until this node announces.
    if (announcer !== this.#node || earlier === undefined) this.#announcers.set(text, announcer);
    if (!armed || announcer !== this.#node) {
      this.#release(text);
      return;
    }
    if (before?.term === term) return;
    const from = earlier === this.#node ? undefined : earlier;
    const cause = before?.cause ?? (from === undefined ? "Start" : "Planned");
    this.#announcers.set(text, announcer);
    this.#holding.set(text, { term, cause });
    if (before === undefined) this.#effects.push({ kind: "announce", text });
    this.#effects.push({ kind: "fact", fact: { kind: "holding", text, term, cause, from } });
  }

  removeStake(text: string): void {
    this.#announcers.delete(text);
    this.#release(text);
  }

  /** What is to be done since the last call, in order. */
  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #release(text: string): void {
    if (!this.#holding.delete(text)) return;
    this.#effects.push({ kind: "withdraw", text }, { kind: "fact", fact: { kind: "released", text } });
  }
}
