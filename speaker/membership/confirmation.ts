import { type Answer, neverMs } from "../../src/heartbeat/messages.ts";

/** What other nodes say about something that this node has found silent. */
export class Confirmation {
  readonly #asked = new Set<string>();
  #isConfirmed = false;

  /** One of them has found the same. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  asked(witnesses: Iterable<string>): void {
    for (const witness of witnesses) this.#asked.add(witness);
  }

  /** Returns what the witness has found. Undefined: it cannot say, or was not asked. */
  answered(from: string, { silentMs, tried }: Answer): "silence" | "answer" | undefined {
    if (!this.#asked.has(from) || silentMs === neverMs) return undefined;
    if (!tried) return "answer";
    this.#isConfirmed = true;
    return "silence";
  }

  /** Whether so many unanswered tries suffice. They need a confirmation if any node was asked, unless they are as many as `unconfirmedLimit`. */
  suffices(tries: number, unconfirmedLimit: number): boolean {
    return this.#isConfirmed || this.#asked.size === 0 || tries >= unconfirmedLimit;
  }

  /** What was asked until now does not count any longer. */
  clear(): void {
    this.#asked.clear();
    this.#isConfirmed = false;
  }
}
