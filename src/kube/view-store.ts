import type { Logger } from "../log/log.ts";
import type { KubeMetrics } from "./metrics.ts";
import { OversizedObject } from "./oversized-object.ts";

/** Returned by `project` for an object that cannot be used. */
export class InvalidObject {
  /** Names every wrong field and its value, in whole sentences. */
  readonly message: string;
  /** The error that was thrown while the object was read. */
  readonly cause: unknown;

  constructor(message: string, cause?: unknown) {
    this.message = message;
    this.cause = cause;
  }
}

/** Projects one object. Whatever `project` throws makes this object invalid, so that it does not keep others from being read. */
export function projectObject<View>(
  project: (raw: unknown) => View | InvalidObject | undefined,
  raw: unknown,
): View | InvalidObject | undefined {
  if (raw instanceof OversizedObject) return new InvalidObject(raw.message);
  try {
    return project(raw);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    return new InvalidObject(`the object could not be read: ${text}`, cause);
  }
}

export interface ViewStoreOptions<View> {
  readonly resource: string;
  readonly project: (raw: unknown) => View | InvalidObject | undefined;
  readonly keyOf?: (raw: unknown) => string;
  readonly onChange: (key: string) => void;
  readonly onInvalid?: (key: string, invalid: InvalidObject | undefined, raw: unknown) => void;
  readonly keepsLastView?: boolean;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** The views of one collection. Reports each change exactly once, and nothing that did not change. */
export class ViewStore<View> {
  readonly #options: ViewStoreOptions<View>;
  readonly #views = new Map<string, View>();
  readonly #versions = new Map<string, string>();
  /** resourceVersion of each invalid object. */
  readonly #invalid = new Map<string, string>();

  constructor(options: ViewStoreOptions<View>) {
    this.#options = options;
  }

  get views(): ReadonlyMap<string, View> {
    return this.#views;
  }

  /** Stores the newest version of an object; returns its key. The same resourceVersion again changes nothing. */
  put(raw: unknown): string {
    const key = this.#keyOf(raw);
    const version = metadataOf(raw).resourceVersion ?? "";
    if (version !== "" && this.#versions.get(key) === version) return key;
    const view = projectObject(this.#options.project, raw);
    if (view instanceof InvalidObject) {
      this.#markInvalid(key, version, view, raw);
      return key;
    }
    this.#clearInvalid(key);
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

  /** Removes the view of a deleted object; returns its key. */
  remove(raw: unknown): string {
    const key = this.#keyOf(raw);
    this.#clearInvalid(key);
    this.#drop(key);
    return key;
  }

  /** Call it after a complete list: objects that are not in it were deleted while there was no watch. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of [...this.#views.keys()]) if (!keys.has(key)) this.#drop(key);
    for (const key of [...this.#invalid.keys()]) if (!keys.has(key)) this.#clearInvalid(key);
  }

  #drop(key: string): void {
    this.#versions.delete(key);
    if (!this.#views.delete(key)) return;
    this.#count();
    this.#options.onChange(key);
  }

  #markInvalid(key: string, version: string, invalid: InvalidObject, raw: unknown): void {
    const { resource, keepsLastView = false, log, onInvalid } = this.#options;
    const known = this.#invalid.get(key) === version;
    this.#invalid.set(key, version);
    if (!keepsLastView) this.#drop(key);
    this.#count();
    if (known) return;
    const { message, cause } = invalid;
    const err = cause === undefined ? {} : { err: cause };
    const result = this.#views.has(key) ? "continuing with its last valid version" : "it is ignored";
    log.warn({ resource, object: key, detail: message, ...err }, `an object cannot be used; ${result}`);
    onInvalid?.(key, invalid, raw);
  }

  #clearInvalid(key: string): void {
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
