import { ApiError } from "./api-error.ts";
import {
  type ApiClient,
  type ApiRequest,
  type ApiResponse,
  type ApiStream,
  type ListRequest,
  type ListResponse,
  patchTypes,
  type WatchOptions,
} from "./client.ts";
import { mergePatch, strategicMergePatch } from "./fake-patch.ts";
import { type FakePath, matchesSelector, parseApiPath } from "./fake-path.ts";
import { applyServiceRules } from "./fake-service-rules.ts";
import { FakeCollection, type FakeEvent, type FakeMetadata, type FakeObject } from "./fake-store.ts";
import { FakeWatch } from "./fake-watch.ts";

type Change = (stored: FakeObject) => void;
type Interceptor = (request: ApiRequest) => void | Promise<void>;

/**
 * An API server in memory that keeps the rules Bellhop relies on: one global resourceVersion, conflicts, unique names, uid
 * preconditions, status subresources, finalizers, generation, pages, watches with bookmarks, 410 after compaction, and the
 * emptied status of a Service that leaves type LoadBalancer. It validates no schema and knows no RBAC.
 */
export class FakeApiServer implements ApiClient {
  readonly #collections = new Map<string, FakeCollection>();
  readonly #watches = new Set<FakeWatch>();
  #resourceVersion = 1;
  #nextUid = 1;
  /** Every request that was received, in order. */
  readonly requests: ApiRequest[] = [];
  /**
   * Whether watches may begin with the whole collection (the feature WatchList); without end: they do not send the bookmark that ends the
   * initial events.
   */
  offersWatchList: boolean | "without end" = false;
  /** Runs before each request and watch; may wait; may throw the error for the caller. */
  intercept: Interceptor | undefined;
  /** Runs after each request was carried out; if it throws, the answer is lost. */
  loseAnswer: ((request: ApiRequest) => void) | undefined;

  /** The resourceVersion of the last change. */
  get newestVersion(): number {
    return this.#resourceVersion;
  }

  /** The requests that are not GET. */
  get writes(): readonly ApiRequest[] {
    return this.requests.filter((request) => request.method !== "GET");
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(structuredClone(request));
    await this.intercept?.(request);
    const answer = this.#carryOut(request);
    this.loseAnswer?.(request);
    return answer;
  }

  async list(request: ListRequest, take: (object: unknown) => void): Promise<ListResponse> {
    const { body } = await this.request({ method: "GET", ...request });
    const { metadata, items } = body as { metadata: { resourceVersion: string; continue?: string }; items: unknown[] };
    for (const object of items) take(object);
    const { resourceVersion, continue: continueToken = "" } = metadata;
    return { resourceVersion, continueToken, bytes: JSON.stringify(body).length };
  }

  #carryOut(request: ApiRequest): ApiResponse {
    const path = parseApiPath(request.path);
    const body = request.body === undefined ? undefined : (structuredClone(request.body) as FakeObject);
    switch (request.method) {
      case "GET":
        return { status: 200, body: path.name === undefined ? this.#list(path, request.query ?? {}) : this.#get(path) };
      case "POST":
        return { status: 201, body: this.#create(path, body as FakeObject) };
      case "PUT":
        return { status: 200, body: this.#update(path, body as FakeObject) };
      case "PATCH":
        return { status: 200, body: this.#patch(path, body as FakeObject, request.contentType) };
      case "DELETE":
        return { status: 200, body: this.#delete(path, body) };
    }
  }

  async *watch(request: ApiRequest, options: WatchOptions): ApiStream {
    this.requests.push(structuredClone(request));
    await this.intercept?.(request);
    const path = parseApiPath(request.path);
    const collection = this.#collection(path);
    const from = Number(request.query?.resourceVersion ?? "0");
    const watch = new FakeWatch(path.collection, options.signal);
    const selected = (event: FakeEvent): unknown => this.#select(path, request.query ?? {}, event);
    if (request.query?.sendInitialEvents === "true") this.#pushInitialEvents(path, watch, selected);
    else for (const event of collection.since(from)) watch.push(selected(event));
    const listener = (event: FakeEvent): void => watch.push(selected(event));
    collection.listeners.add(listener);
    this.#watches.add(watch);
    try {
      options.onOpen?.();
      yield* watch;
    } finally {
      collection.listeners.delete(listener);
      this.#watches.delete(watch);
    }
  }

  #pushInitialEvents(path: FakePath, watch: FakeWatch, selected: (event: FakeEvent) => unknown): void {
    if (this.offersWatchList === false) {
      const text =
        "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
      throw new ApiError(422, "Invalid", text);
    }
    const resourceVersion = this.#resourceVersion;
    for (const object of this.#collection(path).objects.values()) {
      watch.push(selected({ type: "ADDED", resourceVersion, object }));
    }
    const metadata = { resourceVersion: String(resourceVersion), annotations: { "k8s.io/initial-events-end": "true" } };
    if (this.offersWatchList === true) watch.push({ type: "BOOKMARK", object: { metadata } });
  }

  /** Sends a bookmark to every watch. */
  sendBookmarks(): void {
    const object = { metadata: { resourceVersion: String(this.#resourceVersion) } };
    for (const watch of this.#watches) watch.push({ type: "BOOKMARK", object });
  }

  /** Ends all watches, or those of one collection (`v1/services`): by returning, or by throwing the error. */
  endWatches(error?: unknown, collection?: string): void {
    for (const watch of this.#watches) {
      if (collection === undefined || watch.collection === collection) watch.end(error);
    }
  }

  /** Sends an ERROR event, as the server does for a version that its cache no longer has. */
  sendError(status: number, reason: string): void {
    const object = { kind: "Status", code: status, reason, message: `${reason} (fake)` };
    for (const watch of this.#watches) watch.push({ type: "ERROR", object });
  }

  /** From now on older resourceVersions are 410 Expired. */
  compact(): void {
    for (const collection of this.#collections.values()) collection.compact(this.#resourceVersion);
  }

  #collection(path: FakePath): FakeCollection {
    let collection = this.#collections.get(path.collection);
    if (collection === undefined) {
      collection = new FakeCollection();
      this.#collections.set(path.collection, collection);
    }
    return collection;
  }

  #select(path: FakePath, query: Readonly<Record<string, string>>, event: FakeEvent): unknown {
    const { object } = event;
    if (path.namespace !== undefined && object.metadata.namespace !== path.namespace) return undefined;
    if (!matchesSelector(object.metadata.labels ?? {}, query.labelSelector)) return undefined;
    return { type: event.type, object };
  }

  #list(path: FakePath, query: Readonly<Record<string, string>>): unknown {
    const [after = "", version] = (query.continue ?? "").split("|");
    if (version !== undefined) this.#collection(path).since(Number(version));
    const keys = [...this.#collection(path).objects.keys()].sort().filter((key) => key > after);
    const limit = Number(query.limit ?? "0") || keys.length;
    const all = keys
      .map((key) => [key, this.#collection(path).objects.get(key) as FakeObject] as const)
      .filter(([, object]) => path.namespace === undefined || object.metadata.namespace === path.namespace)
      .filter(([, object]) => matchesSelector(object.metadata.labels ?? {}, query.labelSelector));
    const page = all.slice(0, limit);
    const resourceVersion = version ?? String(this.#resourceVersion);
    const token = all.length > limit ? `${page.at(-1)?.[0]}|${resourceVersion}` : "";
    // Unknown to the API server where a selector is given.
    const selects = query.labelSelector !== undefined || query.fieldSelector !== undefined;
    const remaining = selects ? {} : { remainingItemCount: all.length - page.length };
    return {
      metadata: { resourceVersion, ...(token === "" ? {} : { continue: token, ...remaining }) },
      items: page.map(([, object]) => structuredClone(object)),
    };
  }

  #get(path: FakePath): FakeObject {
    return structuredClone(this.#stored(path));
  }

  #stored(path: FakePath): FakeObject {
    const object = this.#collection(path).objects.get(keyOf(path.namespace, path.name ?? ""));
    if (object === undefined) throw new ApiError(404, "NotFound", `${path.plural} "${path.name}" not found`);
    return object;
  }

  #create(path: FakePath, body: FakeObject): FakeObject {
    const { metadata } = body;
    const key = keyOf(path.namespace, metadata.name);
    if (this.#collection(path).objects.has(key)) {
      throw new ApiError(409, "AlreadyExists", `${path.plural} "${metadata.name}" already exists`);
    }
    const object: FakeObject = {
      apiVersion: path.apiVersion,
      ...body,
      metadata: {
        ...metadata,
        ...(path.namespace === undefined ? {} : { namespace: path.namespace }),
        uid: `uid-${this.#nextUid++}`,
        generation: 1,
        creationTimestamp: new Date(Date.UTC(2026, 0, 1) + this.#resourceVersion * 1000).toISOString(),
      },
    };
    if (hasStatusSubresource(path.plural)) object.status = {};
    return this.#record("ADDED", path, key, object);
  }

  #update(path: FakePath, body: FakeObject): FakeObject {
    return this.#change(path, body.metadata, (stored) => {
      if (path.subresource === "status") stored.status = body.status;
      else replaceAllButStatus(stored, body, path.plural);
      if (path.subresource !== "status" || isBuiltIn(path)) copyMetadata(stored.metadata, body.metadata);
    });
  }

  #patch(path: FakePath, body: FakeObject, contentType: string | undefined): FakeObject {
    const strategic = contentType === patchTypes.strategic;
    if (!strategic && contentType !== patchTypes.merge)
      throw new ApiError(415, "UnsupportedMediaType", String(contentType));
    if (strategic && !isBuiltIn(path)) throw new ApiError(415, "UnsupportedMediaType", "no strategic merge here");
    return this.#change(path, body.metadata, (stored) => {
      const { metadata, ...rest } = body as { metadata?: Record<string, unknown> };
      const { uid: _uid, resourceVersion: _version, ...requested } = metadata ?? {};
      const patch = { ...rest, metadata: requested };
      const result = (strategic ? strategicMergePatch(stored, patch) : mergePatch(stored, patch)) as FakeObject;
      if (path.subresource === "status") stored.status = result.status;
      else replaceAllButStatus(stored, result, path.plural);
      if (path.subresource !== "status" || isBuiltIn(path)) copyMetadata(stored.metadata, result.metadata);
    });
  }

  #change(path: FakePath, precondition: FakeMetadata | undefined, change: Change): FakeObject {
    const before = this.#stored(path);
    const { uid, resourceVersion } = precondition ?? {};
    if (uid !== undefined && uid !== before.metadata.uid) throw conflict(path, "the uid is another");
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw conflict(path, "the object has been modified");
    }
    const after = structuredClone(before);
    change(after);
    if (path.plural === "services") applyServiceRules(before, after, path.subresource);
    if (JSON.stringify(before.spec) !== JSON.stringify(after.spec)) {
      after.metadata.generation = (before.metadata.generation ?? 1) + 1;
    }
    if (JSON.stringify(before) === JSON.stringify(after)) return structuredClone(before);
    const key = keyOf(path.namespace, path.name ?? "");
    const gone = after.metadata.deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0;
    return this.#record(gone ? "DELETED" : "MODIFIED", path, key, after);
  }

  #delete(path: FakePath, body: FakeObject | undefined): FakeObject {
    const stored = this.#stored(path);
    const { uid, resourceVersion } = (body as { preconditions?: FakeMetadata } | undefined)?.preconditions ?? {};
    if (uid !== undefined && uid !== stored.metadata.uid) throw conflict(path, "the uid is another");
    if (resourceVersion !== undefined && resourceVersion !== stored.metadata.resourceVersion) {
      throw conflict(path, "the object has been modified");
    }
    const key = keyOf(path.namespace, path.name ?? "");
    const object = structuredClone(stored);
    if ((object.metadata.finalizers ?? []).length === 0) return this.#record("DELETED", path, key, object);
    if (object.metadata.deletionTimestamp !== undefined) return object;
    object.metadata.deletionTimestamp = new Date().toISOString();
    return this.#record("MODIFIED", path, key, object);
  }

  #record(type: FakeEvent["type"], path: FakePath, key: string, object: FakeObject): FakeObject {
    this.#resourceVersion++;
    this.#collection(path).record(type, key, object, this.#resourceVersion);
    return structuredClone(object);
  }
}

function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function isBuiltIn(path: FakePath): boolean {
  return !path.apiVersion.startsWith("bellhop.dev/");
}

function hasStatusSubresource(plural: string): boolean {
  return ["services", "nodes", "ipaddresspools", "virtualips", "speakers"].includes(plural);
}

/** Keeps the order of the fields, so that the same content stays the same text. */
function replaceAllButStatus(stored: FakeObject, body: FakeObject, plural: string): void {
  for (const field of Object.keys(stored)) {
    if (field !== "metadata" && field !== "status" && !(field in body)) delete stored[field];
  }
  for (const [field, value] of Object.entries(body)) {
    if (field === "metadata" || (field === "status" && hasStatusSubresource(plural))) continue;
    stored[field] = value;
  }
}

/** Only what a client may write. */
function copyMetadata(stored: FakeMetadata, requested: FakeMetadata): void {
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"]) {
    if (requested[field] === undefined) delete stored[field];
    else stored[field] = requested[field];
  }
}

function conflict(path: FakePath, text: string): ApiError {
  return new ApiError(409, "Conflict", `${path.plural} "${path.name}": ${text}`);
}
