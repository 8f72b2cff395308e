import type { Clock } from "../../src/clock/clock.ts";
import type { HeartbeatKey } from "../../src/heartbeat/heartbeat-key.ts";
import type { KeySecretView } from "../../src/heartbeat/key-secret.ts";

export interface KeyringOptions {
  /** The Secret as it is watched: at most one. */
  readonly secrets: { readonly views: ReadonlyMap<string, KeySecretView> };
  /** The keys to use are others than before. */
  readonly onChange: () => void;
  readonly clock: Clock;
}

/**
 * A key that another client replaced without a rotation, as by deleting the Secret, stays in use this long: other speakers do not learn of
 * the new one at the same moment. A speaker whose watch is broken learns of it later than that, and is not heard until then.
 */
const replacedKeyMs = 60_000;

/** The keys that this speaker uses now. Keeps the last ones when the Secret is deleted or cannot be used. */
export class Keyring {
  readonly #options: KeyringOptions;
  #keys: readonly HeartbeatKey[] = [];
  #replaced: HeartbeatKey | undefined;
  #cancelExpiry: () => void = () => {};

  constructor(options: KeyringOptions) {
    this.#options = options;
  }

  /** The newest key first; empty: none is known yet. Messages with any of them are accepted. */
  get keys(): readonly HeartbeatKey[] {
    return this.#keys;
  }

  /** Uses the keys of an earlier speaker on this node until the Secret has been read. */
  restore(keys: readonly HeartbeatKey[]): void {
    if (this.#secret === undefined && this.#keys.length === 0) this.#use(keys);
  }

  /** Call it when the Secret has changed. */
  secretChanged(): void {
    const secret = this.#secret;
    if (secret === undefined) return;
    const { current, previous } = secret;
    const [before] = this.#keys;
    const listed = [current, previous].filter((key) => key !== undefined);
    const isListed = (key: HeartbeatKey | undefined) => key !== undefined && listed.some(({ id }) => id === key.id);
    if (before !== undefined && !isListed(before)) this.#keepReplaced(before);
    else if (isListed(this.#replaced)) this.#replaced = undefined;
    this.#use([...listed, ...(this.#replaced === undefined ? [] : [this.#replaced])]);
  }

  stop(): void {
    this.#cancelExpiry();
  }

  get #secret(): KeySecretView | undefined {
    for (const view of this.#options.secrets.views.values()) return view;
    return undefined;
  }

  #keepReplaced(key: HeartbeatKey): void {
    this.#replaced = key;
    this.#cancelExpiry();
    this.#cancelExpiry = this.#options.clock.after(replacedKeyMs, () => {
      this.#replaced = undefined;
      this.#use(this.#keys.filter(({ id }) => id !== key.id));
    });
  }

  #use(keys: readonly HeartbeatKey[]): void {
    const same = keys.length === this.#keys.length && keys.every(({ id }, index) => id === this.#keys[index]?.id);
    this.#keys = keys;
    if (!same) this.#options.onChange();
  }
}
