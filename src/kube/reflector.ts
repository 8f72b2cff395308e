import { Backoff } from "../clock/backoff.ts";
import { type Clock, pause, type Random } from "../clock/clock.ts";
import type { Logger } from "../log/log.ts";
import { ApiError, apiErrorOf, isGone, isNotFound, isThrottled } from "./api-error.ts";
import type { ApiClient } from "./client.ts";
import type { KubeMetrics, WatchFailure } from "./metrics.ts";
import { type InvalidObject, ViewStore } from "./view-store.ts";

/** A live copy of one collection of the API server, projected into small frozen views. */
export interface Reflector<View> {
  /** By key; always the newest that was heard. Never changed by the reader. */
  readonly views: ReadonlyMap<string, View>;
  readonly synced: boolean;
  /** Resolves after the first whole list. */
  readonly whenSynced: Promise<void>;
  /** Monotonic time at which the API server last said anything about this collection; bookmarks count. */
  readonly lastHeardMs: number | undefined;
  /** Monotonic time since which the present watch stands; undefined while none does. */
  readonly connectedSinceMs: number | undefined;
  /** Lists and watches until aborted; never rejects for what the API server does. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ReflectorOptions<View> {
  readonly client: ApiClient;
  /** Label of metrics and logs: `services`. */
  readonly resource: string;
  readonly path: string;
  /** labelSelector, fieldSelector. */
  readonly query?: Readonly<Record<string, string>>;
  /** Pure and quick. Undefined: no view is kept of it. An InvalidObject: set aside and told to onInvalid. */
  readonly project: (raw: unknown) => View | InvalidObject | undefined;
  /** `namespace/name`, or the name where there is no namespace, if missing. */
  readonly keyOf?: (raw: unknown) => string;
  /** Told after the view has changed, come or gone. Must do no more than note the key; must not throw. */
  readonly onChange: (key: string) => void;
  /** Told once per resourceVersion of an object that is set aside, and with undefined when it no longer is. */
  readonly onInvalid?: (key: string, fault: InvalidObject | undefined, raw: unknown) => void;
  /** Whether an API server may not know the collection at all; then it counts as empty, and is asked for again later. */
  readonly optional?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

const pageSize = 500;
/** Watches end after 5 to 10 minutes, drawn each time, as client-go's do (tools/cache/reflector.go). */
const minWatchSeconds = 300;
/** The API server sends a bookmark about each minute; two and a half without a byte mean a dead connection. */
const silenceMs = 150_000;
/** client-go's reflector: 0.8 s doubling to 30 s. */
const backoffBaseMs = 800;
const backoffMaxMs = 30_000;
/** A watch that stood this long clears the backoff. */
const healthyMs = 60_000;
/** So many refusals in a row, and the whole list is read again: the version may be one that a restored etcd never had. */
const refusalsBeforeList = 5;
/** How often an API server is asked for a collection that it did not know: somebody may have defined it since. */
const absentMs = 60_000;
/** A watch that ends sooner counts as a failure, or a server that closes each at once would be stormed. */
const earlyMs = 1_000;

/** A reflector that does not run yet. */
export function createReflector<View>(options: ReflectorOptions<View>): Reflector<View> {
  return new ListWatch(options);
}

class ListWatch<View> implements Reflector<View> {
  readonly #options: ReflectorOptions<View>;
  readonly #store: ViewStore<View>;
  readonly #backoff: Backoff;
  readonly #synced = Promise.withResolvers<void>();
  /** Where the next watch goes on; undefined: list first. */
  #resourceVersion: string | undefined;
  #phase: "list" | "watch" | "event" = "list";
  #refusals = 0;
  synced = false;
  lastHeardMs: number | undefined;
  connectedSinceMs: number | undefined;

  constructor(options: ReflectorOptions<View>) {
    this.#options = options;
    this.#store = new ViewStore(options);
    this.#backoff = new Backoff(backoffBaseMs, backoffMaxMs, options.random);
  }

  get views(): ReadonlyMap<string, View> {
    return this.#store.views;
  }

  get whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) this.#resourceVersion = await this.#list(signal);
        const standsMs = await this.#watch(this.#resourceVersion, signal);
        if (standsMs < earlyMs) await this.#failed("ended_early", undefined, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#options.optional === true && isNotFound(error)) await this.#absent(signal);
        else await this.#failed(failureKind(error, this.#phase), error, signal);
      }
    }
  }

  async #absent(signal: AbortSignal): Promise<void> {
    this.#resourceVersion = undefined;
    this.#store.keepOnly(new Set());
    this.synced = true;
    this.#synced.resolve();
    await pause(this.#options.clock, absentMs, signal);
  }

  async #failed(kind: WatchFailure, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log, metrics, resource } = this.#options;
    metrics.watchFailures.inc({ resource, kind });
    this.#refusals = kind === "watch_refused" || kind === "error_event" ? this.#refusals + 1 : 0;
    if (kind === "expired" || this.#refusals >= refusalsBeforeList) {
      this.#resourceVersion = undefined;
      this.#refusals = 0;
    }
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(this.#backoff.nextMs(), asked);
    log.warn({ resource, kind, waitMs: Math.round(waitMs), err: error }, "a list or watch failed; trying again");
    await pause(clock, waitMs, signal);
  }

  /** Pages through the whole collection; gives the resourceVersion to watch from. */
  async #list(signal: AbortSignal): Promise<string> {
    const { client, path, query, metrics, resource } = this.#options;
    this.#phase = "list";
    const seen = new Set<string>();
    let token = "";
    for (;;) {
      const page = { ...query, limit: String(pageSize), ...(token === "" ? {} : { continue: token }) };
      // Each await gives the event loop its turn between pages.
      const { body } = await client.request({ method: "GET", path, query: page });
      signal.throwIfAborted();
      this.#heard();
      const list = body as { metadata?: { resourceVersion?: string; continue?: string }; items?: unknown[] };
      for (const raw of list.items ?? []) seen.add(this.#store.put(raw));
      token = list.metadata?.continue ?? "";
      if (token !== "") continue;
      this.#store.keepOnly(seen);
      metrics.lists.inc({ resource });
      this.synced = true;
      this.#synced.resolve();
      return list.metadata?.resourceVersion ?? "";
    }
  }

  /** Watches until the server ends it; gives how long that was. */
  async #watch(from: string, signal: AbortSignal): Promise<number> {
    const { client, path, query, clock, random } = this.#options;
    this.#phase = "watch";
    const timeoutSeconds = String(Math.floor(minWatchSeconds * (1 + random())));
    const watchQuery = { ...query, watch: "true", allowWatchBookmarks: "true", resourceVersion: from, timeoutSeconds };
    const startedMs = clock.monotonicMs();
    try {
      const stream = client.watch(
        { method: "GET", path, query: watchQuery },
        { silenceMs, signal, onOpen: () => this.#opened() },
      );
      for await (const event of stream) this.#take(event);
    } finally {
      this.connectedSinceMs = undefined;
      if (clock.monotonicMs() - startedMs >= healthyMs) this.#backoff.reset();
    }
    return clock.monotonicMs() - startedMs;
  }

  /** Applies one watch event. Throws what an ERROR event carries. */
  #take(event: unknown): void {
    const { type, object } = event as { type?: string; object?: { metadata?: { resourceVersion?: string } } };
    const { metrics, resource } = this.#options;
    this.#heard();
    metrics.watchEvents.inc({ resource, type: type ?? "none" });
    if (type === "ADDED" || type === "MODIFIED") this.#store.put(object);
    else if (type === "DELETED") this.#store.remove(object);
    else if (type !== "BOOKMARK") {
      this.#phase = "event";
      throw apiErrorOf(`watch of ${resource}`, 500, object);
    }
    this.#resourceVersion = object?.metadata?.resourceVersion ?? this.#resourceVersion;
    this.#refusals = 0;
  }

  #opened(): void {
    this.#options.metrics.watches.inc({ resource: this.#options.resource });
    this.connectedSinceMs = this.#options.clock.monotonicMs();
    this.#heard();
  }

  #heard(): void {
    this.lastHeardMs = this.#options.clock.monotonicMs();
    this.#options.metrics.lastHeard.set({ resource: this.#options.resource }, this.#options.clock.wallMs() / 1000);
  }
}

function failureKind(error: unknown, phase: "list" | "watch" | "event"): WatchFailure {
  if (isGone(error)) return "expired";
  if (isThrottled(error)) return "throttled";
  if (!(error instanceof ApiError)) return "unreachable";
  return phase === "list" ? "list_refused" : phase === "watch" ? "watch_refused" : "error_event";
}
