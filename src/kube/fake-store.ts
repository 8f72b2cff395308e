import { ApiError } from "./api-error.ts";

/** A stored object; plain JSON. */
export interface FakeObject {
  [field: string]: unknown;
  metadata: FakeMetadata;
}

export interface FakeMetadata {
  [field: string]: unknown;
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  finalizers?: string[];
}

export type FakeEventType = "ADDED" | "MODIFIED" | "DELETED";

export interface FakeEvent {
  readonly type: FakeEventType;
  readonly resourceVersion: number;
  readonly object: FakeObject;
}

/** One collection with its history, as etcd and the watch cache keep it. Objects are copied in and out. */
export class FakeCollection {
  readonly objects = new Map<string, FakeObject>();
  readonly listeners = new Set<(event: FakeEvent) => void>();
  #history: FakeEvent[] = [];
  #compactedBelow = 0;

  record(type: FakeEventType, key: string, object: FakeObject, resourceVersion: number): void {
    object.metadata.resourceVersion = String(resourceVersion);
    if (type === "DELETED") this.objects.delete(key);
    else this.objects.set(key, object);
    const event: FakeEvent = { type, resourceVersion, object: structuredClone(object) };
    this.#history.push(event);
    for (const listener of this.listeners) listener(event);
  }

  /** Every event after the version. Throws 410 Expired if that is no longer known. */
  since(resourceVersion: number): readonly FakeEvent[] {
    if (resourceVersion < this.#compactedBelow) {
      throw new ApiError(410, "Expired", `too old resource version: ${resourceVersion} (${this.#compactedBelow})`);
    }
    return this.#history.filter((event) => event.resourceVersion > resourceVersion);
  }

  /** Forgets all events up to the version. */
  compact(resourceVersion: number): void {
    this.#compactedBelow = resourceVersion;
    this.#history = this.#history.filter((event) => event.resourceVersion > resourceVersion);
  }
}
