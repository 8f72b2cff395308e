/** One open watch: a queue between the server and its reader. */
export class FakeWatch {
  readonly collection: string;
  readonly #signal: AbortSignal;
  readonly #events: unknown[] = [];
  #ended: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};
  readonly #abort = (): void => this.end(undefined);

  constructor(collection: string, signal: AbortSignal) {
    this.collection = collection;
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort, { once: true });
  }

  push(event: unknown): void {
    if (event !== undefined) this.#events.push(structuredClone(event));
    this.#wake();
  }

  end(error: unknown): void {
    this.#ended ??= { error };
    this.#signal.removeEventListener("abort", this.#abort);
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    while (!this.#signal.aborted) {
      if (this.#events.length > 0) yield this.#events.shift();
      else if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
