/** Something that acts only while this process leads. */
export interface TermPart {
  start(): void;
  /** Resolves when none of its work is under way. */
  stop(): void | Promise<void>;
}

/** Whether this process leads: the one place that knows. Parts ask `active` before they act on what they observe. */
export class LeadershipTerm {
  #parts: readonly TermPart[] = [];
  #active = false;

  get active(): boolean {
    return this.#active;
  }

  /** Starts the parts in their order. */
  begin(parts: readonly TermPart[]): void {
    this.#active = true;
    this.#parts = parts;
    for (const part of parts) part.start();
  }

  /** Stops all parts at once; resolves when the last of them has stopped. */
  async end(): Promise<void> {
    this.#active = false;
    const parts = this.#parts;
    this.#parts = [];
    await Promise.all(parts.map((part) => part.stop()));
  }
}
