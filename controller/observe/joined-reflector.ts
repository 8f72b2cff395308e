import type { Reflector } from "../../src/kube/reflector.ts";

/** Two collections shown as one. Where both have a key, the view of the first counts. */
export class JoinedReflector<View> implements Reflector<View> {
  readonly #onChange: (key: string) => void;
  readonly #views = new Map<string, View>();
  #first: Reflector<View> | undefined;
  #second: Reflector<View> | undefined;

  constructor(onChange: (key: string) => void) {
    this.#onChange = onChange;
  }

  /** Call it once, before `run`. Both must report their changes to `changed`. */
  join(first: Reflector<View>, second: Reflector<View>): void {
    this.#first = first;
    this.#second = second;
  }

  changed(key: string): void {
    const view = this.#first?.views.get(key) ?? this.#second?.views.get(key);
    if (view === this.#views.get(key)) return;
    if (view === undefined) this.#views.delete(key);
    else this.#views.set(key, view);
    this.#onChange(key);
  }

  get views(): ReadonlyMap<string, View> {
    return this.#views;
  }

  get synced(): boolean {
    return this.#first?.synced === true && this.#second?.synced === true;
  }

  get whenSynced(): Promise<void> {
    return Promise.all([this.#first?.whenSynced, this.#second?.whenSynced]).then(() => undefined);
  }

  get lastHeardMs(): number | undefined {
    return this.#first?.lastHeardMs;
  }

  get connectedSinceMs(): number | undefined {
    return this.#first?.connectedSinceMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#first?.run(signal), this.#second?.run(signal)]);
  }
}
