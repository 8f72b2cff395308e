/**
 * Names by key; several names may have the same key. Nearly all keys have one name, which is kept without a set: with tens of thousands
 * of keys, sets would take megabytes.
 */
export class NameIndex {
  readonly #names = new Map<string, string | Set<string>>();

  /** The names of a key, in the order in which they were added. Do not rely on seeing later changes in it. */
  of(key: string): Iterable<string> {
    const names = this.#names.get(key);
    if (names === undefined) return [];
    return typeof names === "string" ? [names] : names;
  }

  /** Whether the key has any name. */
  has(key: string): boolean {
    return this.#names.has(key);
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
    const names = this.#names.get(key);
    if (names === undefined) this.#names.set(key, name);
    else if (typeof names !== "string") names.add(name);
    else if (names !== name) this.#names.set(key, new Set([names, name]));
  }

  delete(key: string, name: string): void {
    const names = this.#names.get(key);
    if (names === undefined || typeof names === "string") {
      if (names === name) this.#names.delete(key);
      return;
    }
    names.delete(name);
    if (names.size === 0) this.#names.delete(key);
  }
}
