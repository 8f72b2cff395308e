const none: ReadonlySet<string> = new Set();

/** Names by key; several names may have the same key. */
export class NameIndex {
  readonly #names = new Map<string, Set<string>>();

  /** Later changes are visible in it. */
  of(key: string): ReadonlySet<string> {
    return this.#names.get(key) ?? none;
  }

  /** Keys that any name has. */
  get keys(): Iterable<string> {
    return this.#names.keys();
  }

  /** How many keys have any name. */
  get size(): number {
    return this.#names.size;
  }

  add(key: string, name: string): void {
    const names = this.#names.get(key) ?? new Set();
    this.#names.set(key, names.add(name));
  }

  delete(key: string, name: string): void {
    const names = this.#names.get(key);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(key);
  }
}
