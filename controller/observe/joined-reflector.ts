import type { Reflector } from "../../src/kube/reflector.ts";

/** Two collections shown as one. Where both have a key, the view of the first counts. */
export class JoinedReflector<View> implements Reflector<View> {
  readonly #onChange: (key: string) => void;
  readonly #first: Reflector<View>;
  readonly #second: Reflector<View>;
  readonly #views = new Map<string, View>();

  /** `create`: creates both reflectors, which must report their changes to the function that it receives. */
  constructor(
    onChange: (key: string) => void,
    create: (onChange: (key: string) => void) => readonly [Reflector<View>, Reflector<View>],
  ) {
    this.#onChange = onChange;
    [this.#first, this.#second] = create((key) => this.#changed(key));
  }

  #changed(key: string): void {
    const view = this.#first.views.get(key) ?? this.#second.views.get(key);
    if (view === this.#views.get(key)) return;
    if (view === undefined) this.#views.delete(key);
    else this.#views.set(key, view);
    this.#onChange(key);
  }

  get views(): ReadonlyMap<string, View> {
    return this.#views;
  }

  get synced(): boolean {
    return this.#first.synced && this.#second.synced;
  }

  get whenSynced(): Promise<void> {
    return Promise.all([this.#first.whenSynced, this.#second.whenSynced]).then(() => undefined);
  }

  get lastHeardMs(): number | undefined {
    const [first, second] = [this.#first.lastHeardMs, this.#second.lastHeardMs];
    return first === undefined || second === undefined ? undefined : Math.min(first, second);
  }

  get connectedSinceMs(): number | undefined {
    return this.#first.connectedSinceMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#first.run(signal), this.#second.run(signal)]);
  }
}
