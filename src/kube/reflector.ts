import { Backoff } from "../clock/backoff.ts";
import { type Clock, pause, type Random } from "../clock/clock.ts";
import { type Turn, turnOf } from "../clock/turn.ts";
import type { Logger } from "../log/log.ts";
import { ApiError, apiErrorOf, isGone, isNotFound, isThrottled } from "./api-error.ts";
import type { ApiClient } from "./client.ts";
import { endsInitialEvents, InitialEvents } from "./initial-events.ts";
import { listCollection } from "./list.ts";
import type { KubeMetrics, WatchFailure } from "./metrics.ts";
import { PageSize } from "./page-size.ts";
import { type InvalidObject, ViewStore } from "./view-store.ts";

/** A live copy of one collection of the API server, projected into small frozen views. */
export interface Reflector<View> {
  /** By key; always the newest that was received. The reader must not change it. */
  readonly views: ReadonlyMap<string, View>;
  readonly synced: boolean;
  /** Resolves after the first complete list. */
  readonly whenSynced: Promise<void>;
  /** Monotonic time at which the API server last sent anything about this collection; bookmarks count. */
  readonly lastHeardMs: number | undefined;
  /** Monotonic time at which the current watch was opened; undefined while there is none. */
  readonly connectedSinceMs: number | undefined;
  /** Lists and watches until aborted. Never rejects because of the API server. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ReflectorOptions<View> {
  readonly client: ApiClient;
  /** Label of metrics and logs: `services`. */
  readonly resource: string;
  readonly path: string;
  /** labelSelector, fieldSelector. */
  readonly query?: Readonly<Record<string, string>>;
  /**
   * Pure and quick. Returns undefined for an object without a view, and an InvalidObject for one that is to be ignored and passed to
   * onInvalid.
   */
  readonly project: (raw: unknown) => View | InvalidObject | undefined;
  /** Default: `namespace/name`, or the name of a cluster-scoped object. */
  readonly keyOf?: (raw: unknown) => string;
  /** Called after a view was added, changed or removed. Must only record the key; must not throw. */
  readonly onChange: (key: string) => void;
  /** Called once for each resourceVersion of an invalid object, and with undefined when the object is valid again or deleted. */
  readonly onInvalid?: (key: string, invalid: InvalidObject | undefined, raw: unknown) => void;
  /** Whether an object that has become invalid keeps its last view until it is valid again or deleted. Default: it has no view. */
  readonly keepsLastView?: boolean;
  /**
   * `consistent`, the default: a list has everything that was written before it was requested. `cached`: it may be as old as what one
   * API server has in memory, but never older than what was received here before. Such lists do not read etcd.
   */
  readonly freshness?: "consistent" | "cached";
  /** A list that has to be read again is delayed by up to this long, so that many programs do not list at the same time. Default: 0. */
  readonly relistSpreadMs?: number;
  /** Whether the API server may not serve the collection. It then counts as empty, and is requested again later. */
  readonly optional?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: KubeMetrics;
}

/** Watches end after 5 to 10 minutes, chosen at random each time, as in client-go (tools/cache/reflector.go). */
const minWatchSeconds = 300;
/** The API server sends a bookmark about once a minute. Two and a half minutes without a byte mean a dead connection. */
const silenceMs = 150_000;
/** client-go's reflector: 0.8 s doubling to 30 s. */
const backoffBaseMs = 800;
const backoffMaxMs = 30_000;
/** A watch that lasted this long resets the backoff. */
const healthyMs = 60_000;
/** After this many refusals in a row the whole list is read again: a restored etcd may never have had the version. */
const refusalsBeforeList = 5;
/** How often a collection that the API server does not serve is requested again: it may have been defined since. */
const absentMs = 60_000;
/** A watch that ends sooner counts as a failure; otherwise a server that closes each at once would be flooded with requests. */
const earlyMs = 1_000;

/** Returns a reflector; `run` starts it. */
export function createReflector<View>(options: ReflectorOptions<View>): Reflector<View> {
  return new ListWatch(options);
}

class ListWatch<View> implements Reflector<View> {
  readonly #options: ReflectorOptions<View>;
  readonly #store: ViewStore<View>;
  readonly #backoff: Backoff;
  readonly #turn: Turn;
  readonly #synced = Promise.withResolvers<void>();
  /** Where the next watch continues; undefined: list first. */
  #resourceVersion: string | undefined;
  /** The oldest version that the next list may have; empty: it must be the newest; 0: any. */
  #listFrom: string;
  /** The initial events of a WatchList, until the bookmark that ends them. */
  #initial: InitialEvents | undefined;
  /** Whether the next list is read by a watch; refused: the API server does not support that. */
  #watchList: "next" | "after a list" | "refused" = "next";
  readonly #pageSize = new PageSize();
  #phase: "list" | "watch" | "event" = "list";
  #refusals = 0;
  synced = false;
  lastHeardMs: number | undefined;
  connectedSinceMs: number | undefined;

  constructor(options: ReflectorOptions<View>) {
    this.#options = options;
    this.#listFrom = options.freshness === "cached" ? "0" : "";
    this.#store = new ViewStore(options);
    this.#backoff = new Backoff(backoffBaseMs, backoffMaxMs, options.random);
    this.#turn = turnOf(options.clock);
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
        if (this.#resourceVersion === undefined && this.#watchList !== "next") await this.#list(signal);
        const lastedMs = await this.#watch(this.#resourceVersion, signal);
        if (lastedMs < earlyMs) await this.#failed("ended_early", undefined, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#isRefusedWatchList(error)) this.#watchList = "refused";
        else if (this.#options.optional === true && isNotFound(error)) await this.#absent(signal);
        else await this.#failed(failureKind(error, this.#phase), error, signal);
      } finally {
        if (this.#initial !== undefined && this.#watchList === "next") this.#watchList = "after a list";
        this.#initial = undefined;
      }
    }
  }

  /** API servers without the feature WatchList answer 422; 400 is for those that do not know the parameter. */
  #isRefusedWatchList(error: unknown): boolean {
    return this.#initial !== undefined && error instanceof ApiError && [400, 422].includes(error.status);
  }

  async #absent(signal: AbortSignal): Promise<void> {
    this.#resourceVersion = undefined;
    this.#heard();
    this.#store.keepOnly(new Set());
    this.#becomeSynced();
    await pause(this.#options.clock, absentMs, signal);
  }

  async #failed(kind: WatchFailure, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random, log, metrics, resource } = this.#options;
    metrics.watchFailures.inc({ resource, kind });
    this.#refusals = kind === "watch_refused" || kind === "error_event" ? this.#refusals + 1 : 0;
    if (kind === "expired" || this.#refusals >= refusalsBeforeList) {
      this.#resourceVersion = undefined;
      this.#refusals = 0;
    }
    // The cache may no longer have the version, or may never have had it (504, storage.NewTooLargeResourceVersionError).
    if (this.#phase === "list" && error instanceof ApiError && kind !== "throttled") this.#listFrom = "";
    const requestedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const spreadMs = this.synced && this.#resourceVersion === undefined ? (this.#options.relistSpreadMs ?? 0) : 0;
    const waitMs = Math.max(this.#backoff.nextMs(), requestedMs) + random() * spreadMs;
    log.warn({ resource, kind, waitMs: Math.round(waitMs), err: error }, "a list or watch failed; trying again");
    await pause(clock, waitMs, signal);
  }

  /** Reads the whole collection, object by object. */
  async #list(signal: AbortSignal): Promise<void> {
    const { client, path, query } = this.#options;
    this.#phase = "list";
    const seen = new Set<string>();
    const from = this.#listFrom;
    const match = from === "" || from === "0" ? {} : { resourceVersionMatch: "NotOlderThan" };
    const version = await listCollection(client, {
      path,
      query: { ...query, ...(from === "" ? {} : { resourceVersion: from, ...match }) },
      take: (raw) => void seen.add(this.#store.put(raw)),
      onPage: () => this.#heard(),
      pageSize: this.#pageSize,
      signal,
    });
    this.#listed(seen, version);
  }

  #listed(seen: ReadonlySet<string>, version: string): void {
    const { metrics, resource } = this.#options;
    this.#store.keepOnly(seen);
    metrics.lists.inc({ resource });
    this.#reached(version);
    if (this.#watchList === "after a list") this.#watchList = "next";
    this.#becomeSynced();
  }

  #becomeSynced(): void {
    this.synced = true;
    this.#synced.resolve();
  }

  /** Everything up to this version has been received. */
  #reached(version: string): void {
    this.#resourceVersion = version;
    if (this.#options.freshness === "cached") this.#listFrom = version;
  }

  /** Watches until the server ends the watch; returns how long it lasted. Without a version, the watch begins with the whole collection. */
  async #watch(from: string | undefined, signal: AbortSignal): Promise<number> {
    const { client, path, query, clock, random } = this.#options;
    this.#phase = from === undefined ? "list" : "watch";
    const initial = from === undefined ? new InitialEvents(clock) : undefined;
    this.#initial = initial;
    const begin =
      from === undefined
        ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", resourceVersion: this.#listFrom }
        : { resourceVersion: from };
    const timeoutSeconds = String(Math.floor(minWatchSeconds * (1 + random())));
    const watchQuery = { ...query, watch: "true", allowWatchBookmarks: "true", ...begin, timeoutSeconds };
    const startedMs = clock.monotonicMs();
    try {
      const stream = client.watch(
        { method: "GET", path, query: watchQuery },
        {
          silenceMs,
          signal: initial === undefined ? signal : AbortSignal.any([signal, initial.signal]),
          onOpen: () => this.#opened(),
        },
      );
      for await (const event of stream) {
        this.#take(event);
        // The events of a WatchList, or of a watch that was behind, arrive faster than they are processed.
        if (this.#turn.over) await this.#turn.next();
      }
      initial?.throwIfGivenUp();
    } finally {
      initial?.stop();
      this.connectedSinceMs = undefined;
      if (clock.monotonicMs() - startedMs >= healthyMs) this.#backoff.reset();
    }
    return clock.monotonicMs() - startedMs;
  }

  /** Applies one watch event. Throws the error of an ERROR event. */
  #take(event: unknown): void {
    const { type, object } = event as WatchEvent;
    const { metrics, resource } = this.#options;
    this.#heard();
    this.#initial?.heard();
    metrics.watchEvents.inc({ resource, type: type ?? "none" });
    if (type === "ADDED" || type === "MODIFIED") {
      const key = this.#store.put(object);
      this.#initial?.keys.add(key);
    } else if (type === "DELETED") {
      const key = this.#store.remove(object);
      this.#initial?.keys.delete(key);
    } else if (type !== "BOOKMARK") {
      if (this.#phase === "watch") this.#phase = "event";
      throw apiErrorOf(`watch of ${resource}`, 500, object);
    }
    const version = object?.metadata?.resourceVersion ?? this.#resourceVersion;
    if (version === undefined) return;
    if (this.#initial === undefined) this.#reached(version);
    else if (type === "BOOKMARK" && endsInitialEvents(object?.metadata?.annotations))
      this.#endInitial(this.#initial, version);
    this.#refusals = 0;
  }

  /** A WatchList has delivered the whole collection, and continues as a watch. */
  #endInitial(initial: InitialEvents, version: string): void {
    initial.stop();
    this.#listed(initial.keys, version);
    this.#initial = undefined;
    this.#phase = "watch";
    this.connectedSinceMs = this.#options.clock.monotonicMs();
  }

  #opened(): void {
    this.#options.metrics.watches.inc({ resource: this.#options.resource });
    if (this.#initial === undefined) this.connectedSinceMs = this.#options.clock.monotonicMs();
    this.#heard();
  }

  #heard(): void {
    this.lastHeardMs = this.#options.clock.monotonicMs();
    this.#options.metrics.lastHeard.set({ resource: this.#options.resource }, this.#options.clock.wallMs() / 1000);
  }
}

interface WatchEvent {
  readonly type?: string;
  readonly object?: {
    readonly metadata?: { readonly resourceVersion?: string; readonly annotations?: Readonly<Record<string, string>> };
  };
}

function failureKind(error: unknown, phase: "list" | "watch" | "event"): WatchFailure {
  if (isGone(error)) return "expired";
  if (isThrottled(error)) return "throttled";
  if (!(error instanceof ApiError)) return "unreachable";
  return phase === "list" ? "list_refused" : phase === "watch" ? "watch_refused" : "error_event";
}
