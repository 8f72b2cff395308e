import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "../metrics/registry.ts";

/** Every way in which a list or watch can fail; each is a label of its own. */
export type WatchFailure =
  | "list_refused"
  | "watch_refused"
  | "error_event"
  | "expired"
  | "throttled"
  | "unreachable"
  | "ended_early";

export interface KubeMetrics {
  readonly requests: Counter<"method" | "code">;
  readonly requestSeconds: Histogram<"method">;
  readonly lists: Counter<"resource">;
  readonly watches: Counter<"resource">;
  readonly watchEvents: Counter<"resource" | "type">;
  readonly watchFailures: Counter<"resource" | "kind">;
  readonly invalidObjects: Gauge<"resource">;
  readonly objects: Gauge<"resource">;
  /** Wall time at which the last byte was received, in seconds since 1970. */
  readonly lastHeard: Gauge<"resource">;
}

/** Registers them; call once per registry. */
export function createKubeMetrics(registry: Registry): KubeMetrics {
  const registers = [registry];
  const resource = ["resource"] as const;
  return {
    requests: new Counter({
      name: "bellhop_api_requests_total",
      help: "Requests to the API server, except watches. Code 0 means that there was no response.",
      labelNames: ["method", "code"],
      registers,
    }),
    requestSeconds: new Histogram({
      name: "bellhop_api_request_seconds",
      help: "Time until the whole response was read.",
      labelNames: ["method"],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    lists: new Counter({
      name: "bellhop_reflector_lists_total",
      help: "Complete lists that were read. More than one means that a watch could not be resumed.",
      labelNames: resource,
      registers,
    }),
    watches: new Counter({
      name: "bellhop_reflector_watches_total",
      help: "Watches that the API server accepted.",
      labelNames: resource,
      registers,
    }),
    watchEvents: new Counter({
      name: "bellhop_reflector_events_total",
      help: "Events received from watches.",
      labelNames: ["resource", "type"],
      registers,
    }),
    watchFailures: new Counter({
      name: "bellhop_reflector_failures_total",
      help: "Lists and watches that failed, by kind of failure.",
      labelNames: ["resource", "kind"],
      registers,
    }),
    invalidObjects: new Gauge({
      name: "bellhop_reflector_invalid_objects",
      help: "Objects that are ignored because they do not match their schema.",
      labelNames: resource,
      registers,
    }),
    objects: new Gauge({
      name: "bellhop_reflector_objects",
      help: "Objects in the local cache.",
      labelNames: resource,
      registers,
    }),
    lastHeard: new Gauge({
      name: "bellhop_reflector_last_heard_timestamp_seconds",
      help: "When a list or watch last received anything, including bookmarks.",
      labelNames: resource,
      registers,
    }),
  };
}
