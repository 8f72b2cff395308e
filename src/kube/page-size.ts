/** As many as client-go and kubectl request (tools/pager). */
const maxObjects = 500;
const firstObjects = 100;
/** What one answer should have at most; two answers of this size are nothing that an API server or we would notice. */
const maxBytes = 4 * 1024 * 1024;
const smallBytes = maxBytes / 4;

/**
 * How many objects to request in the next page of a list. Begins with few, grows while the answers are short, and halves, down to
 * single objects, when an answer was long or did not arrive.
 */
export class PageSize {
  #limit = firstObjects;

  get limit(): number {
    return this.#limit;
  }

  answered(bytes: number): void {
    if (bytes > maxBytes) this.#halve();
    else if (bytes < smallBytes) this.#limit = Math.min(maxObjects, this.#limit * 2);
  }

  failed(): void {
    this.#halve();
  }

  #halve(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }
}
