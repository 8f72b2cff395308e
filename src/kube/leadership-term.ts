/** Something that acts only while this process leads. */
export interface TermPart {
  /** Resolves when the next part may start. */
  start(): void | Promise<void>;
  /** Resolves when all its work has ended. */
  stop(): void | Promise<void>;
}

/** Whether this process leads: the only place where that is decided. Parts check `active` before they act. */
export class LeadershipTerm {
  #parts: readonly TermPart[] = [];
  #active = false;

  get active(): boolean {
    return this.#active;
  }

  /** Starts the parts in their order, each after the one before it has started. Ends early when the leadership ends. */
  async begin(parts: readonly TermPart[]): Promise<void> {
    const own = [...parts];
    this.#active = true;
    this.#parts = own;
    for (const part of own) {
      if (this.#parts !== own) return;
      await part.start();
    }
  }

  /** Stops all parts at once; resolves when the last of them has stopped. */
  async end(): Promise<void> {
    this.#active = false;
    const parts = this.#parts;
    this.#parts = [];
    await Promise.all(parts.map((part) => part.stop()));
  }
}
