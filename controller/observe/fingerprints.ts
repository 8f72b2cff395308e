/** The last relevant state of objects that also change in ways that do not matter. Forgets objects that are gone. */
export class Fingerprints {
  readonly #texts = new Map<string, string>();

  /** Whether the text differs from the last one for this key. Empty: the object is gone, or has nothing relevant. */
  changed(key: string, text: string): boolean {
    if ((this.#texts.get(key) ?? "") === text) return false;
    if (text === "") this.#texts.delete(key);
    else this.#texts.set(key, text);
    return true;
  }
}
