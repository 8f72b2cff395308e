/** What was last seen of objects that also write much that does not matter here. Keeps only what is there. */
export class Fingerprints {
  readonly #texts = new Map<string, string>();

  /** Whether the text differs from the last one for this key. An empty text: the object is gone, or has nothing that matters. */
  changed(key: string, text: string): boolean {
    if ((this.#texts.get(key) ?? "") === text) return false;
    if (text === "") this.#texts.delete(key);
    else this.#texts.set(key, text);
    return true;
  }
}
