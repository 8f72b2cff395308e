import type { Logger } from "../log/log.ts";
import type { KubeMetrics } from "./metrics.ts";

/** What `project` answers for an object that does not follow its schema. */
export class InvalidObject {
  /** Names every wrong field and its value, in whole sentences. */
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

export interface ViewStoreOptions<View> {
  readonly resource: string;
  readonly project: (raw: unknown) => View | InvalidObject | undefined;
  readonly keyOf?: (raw: unknown) => string;
  readonly onChange: (key: string) => void;
  readonly onInvalid?: (key: string, fault: InvalidObject | undefined, raw: unknown) => void;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** The views of one collection; tells of every change exactly once, and of nothing that did not change. */
export class ViewStore<View> {
  readonly #options: ViewStoreOptions<View>;
  readonly #views = new Map<string, View>();
  readonly #versions = new Map<string, string>();
  /** resourceVersion of the objects that are set aside. */
  readonly #invalid = new Map<string, string>();

  constructor(options: ViewStoreOptions<View>) {
    this.#options = options;
  }

  get views(): ReadonlyMap<string, View> {
    return this.#views;
  }

  /** Takes the newest form of an object; gives its key. The same resourceVersion again changes nothing. */
  put(raw: unknown): string {
    const key = this.#keyOf(raw);
    const version = metadataOf(raw).resourceVersion ?? "";
    if (version !== "" && this.#versions.get(key) === version) return key;
    const view = this.#options.project(raw);
    if (view instanceof InvalidObject) {
      this.#reject(key, version, view, raw);
      return key;
    }
    this.#forgive(key);
    if (view === undefined) {
      this.#drop(key);
      return key;
    }
    this.#views.set(key, view);
    this.#versions.set(key, version);
    this.#count();
    this.#options.onChange(key);
    return key;
  }

  remove(raw: unknown): void {
    const key = this.#keyOf(raw);
    this.#forgive(key);
    this.#drop(key);
  }

  /** After a whole list: what is not in it has gone while nobody watched. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of [...this.#views.keys()]) if (!keys.has(key)) this.#drop(key);
    for (const key of [...this.#invalid.keys()]) if (!keys.has(key)) this.#forgive(key);
  }

  #drop(key: string): void {
    this.#versions.delete(key);
    if (!this.#views.delete(key)) return;
    this.#count();
    this.#options.onChange(key);
  }

  #reject(key: string, version: string, fault: InvalidObject, raw: unknown): void {
    const { resource, log, onInvalid } = this.#options;
    const known = this.#invalid.get(key) === version;
    this.#invalid.set(key, version);
    this.#drop(key);
    this.#count();
    if (known) return;
    log.warn(
      { resource, object: key, fault: fault.message },
      "an object does not match its schema and is ignored; correct it, or install the CustomResourceDefinitions of this version",
    );
    onInvalid?.(key, fault, raw);
  }

  #forgive(key: string): void {
    if (!this.#invalid.delete(key)) return;
    this.#count();
    this.#options.onInvalid?.(key, undefined, undefined);
  }

  #count(): void {
    const { resource, metrics } = this.#options;
    metrics.objects.set({ resource }, this.#views.size);
    metrics.invalidObjects.set({ resource }, this.#invalid.size);
  }

  #keyOf(raw: unknown): string {
    if (this.#options.keyOf !== undefined) return this.#options.keyOf(raw);
    const { namespace, name } = metadataOf(raw);
    return namespace === undefined ? (name ?? "") : `${namespace}/${name ?? ""}`;
  }
}

function metadataOf(raw: unknown): { name?: string; namespace?: string; resourceVersion?: string } {
  return (raw as { metadata?: { name?: string } } | undefined)?.metadata ?? {};
}
