/** Work by name: one at a time for each name, in the order in which it came. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work when all that came before it under this name is over, however that ended. */
  run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name);
    const result = before === undefined ? work() : before.then(work, work);
    const ended: Promise<void> = result.then(
      () => this.#forget(name, ended),
      () => this.#forget(name, ended),
    );
    this.#last.set(name, ended);
    return result;
  }

  #forget(name: string, ended: Promise<void>): void {
    if (this.#last.get(name) === ended) this.#last.delete(name);
  }
}
