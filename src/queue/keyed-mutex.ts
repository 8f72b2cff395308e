/** Runs work one at a time for each name, in order of arrival. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work after all earlier work of this name has ended, whether it succeeded or failed. */
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
