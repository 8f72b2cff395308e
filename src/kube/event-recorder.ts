import { createHash } from "node:crypto";
import { Counter } from "prom-client";
import { timeText } from "../api/api.ts";
import { type Clock, pause } from "../clock/clock.ts";
import type { Logger } from "../log/log.ts";
import type { Registry } from "../metrics/registry.ts";
import { shortenToBytes } from "../model/bounded-text.ts";
import { ApiError, isAlreadyExists, isNamespaceTerminating, isNotFound } from "./api-error.ts";
import { type ApiClient, patchTypes } from "./client.ts";
import type { EventRecorder, EventSubject, EventText } from "./event.ts";
import { eventPath } from "./path.ts";
import { type WaitingEvent, WaitingEvents } from "./waiting-events.ts";

export interface EventRecorderOptions {
  readonly client: ApiClient;
  /** Shown in the column From of `kubectl describe`. */
  readonly component: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  /** Whether there is much of the work that the events are about: Normal ones then wait. Default: never. */
  readonly busy?: () => boolean;
}

/** Registers the metrics of a recorder; call once per registry. */
export function createEventMetrics(registry: Registry): Counter<"result"> {
  return new Counter({
    name: "bellhop_events_total",
    help: "Kubernetes events, by result.",
    labelNames: ["result"],
    registers: [registry],
  });
}

/** The same event about the same object is written again only after this long, as one more occurrence. */
const repeatAfterMs = 10 * 60_000;
const maxRemembered = 20_000;
/** Few, so that a burst of events does not delay the requests of the work itself. */
const maxInFlight = 2;
/** While there is much work, a Normal event is written at most this often: ten a second take a few hundredths of a core. */
const busyPauseMs = 100;
/** The longest message of an event (Kubernetes, pkg/apis/core/validation/events.go, NoteLengthLimit). */
const maxMessageBytes = 1_024;

interface RecordedEvent {
  readonly name: string;
  readonly namespace: string;
  readonly atMs: number;
  readonly count: number;
}

/**
 * Writes core/v1 Events, which `kubectl describe` shows with our name in every version. Repeats within ten minutes are left
 * out, later ones increase the count of the first. A full queue drops Normal events first and counts what it drops. While there is more
 * important work, Warnings are still written at once, Normal events only now and then.
 */
export class ApiEventRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #written: Counter<"result">;
  readonly #recorded = new Map<string, RecordedEvent>();
  readonly #waiting: WaitingEvents;
  /** Until when Normal events wait while there is other work; `#cancelPause` cancels the timer that then tries again. */
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #cancelPause: (() => void) | undefined;
  #flushing = false;
  #inFlight = 0;
  #wakeFlush: (() => void)[] = [];

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#written = createEventMetrics(options.registry);
    this.#waiting = new WaitingEvents(() => this.#written.inc({ result: "dropped" }));
  }

  record(subject: EventSubject, { type, reason, message }: EventText): void {
    const text: EventText = { type, reason, message: shortenToBytes(message, maxMessageBytes) };
    const key = keyOf(subject, text);
    const earlier = this.#recorded.get(key);
    const nowMs = this.#options.clock.monotonicMs();
    if (earlier !== undefined && nowMs - earlier.atMs < repeatAfterMs) return;
    if (!this.#waiting.makeRoom(text.type)) return;
    const namespace = subject.namespace ?? "default";
    const name = earlier?.name ?? this.#nameFor(subject.name, key);
    this.#recorded.delete(key);
    this.#recorded.set(key, { name, namespace, atMs: nowMs, count: (earlier?.count ?? 0) + 1 });
    if (this.#recorded.size > maxRemembered) this.#forgetOldest();
    this.#waiting.add({ subject, text, key, wallMs: this.#options.clock.wallMs() });
    this.#dispatch();
  }

  /** Writes all events that wait. Resolves when everything is written, or after `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    if (this.#inFlight === 0 && this.#waiting.size === 0) return;
    this.#flushing = true;
    this.#dispatch();
    const done = new Promise<void>((resolve) => this.#wakeFlush.push(resolve));
    const limit = new AbortController();
    await Promise.race([done, pause(this.#options.clock, limitMs, limit.signal)]);
    limit.abort();
    this.#flushing = false;
  }

  #forgetOldest(): void {
    const oldest = this.#recorded.keys().next();
    if (!oldest.done) this.#recorded.delete(oldest.value);
  }

  /** As client-go names events: the object, a dot, and a text that is unique. */
  #nameFor(object: string, key: string): string {
    const { instance, clock } = this.#options;
    const hash = createHash("sha256").update(`${instance}${clock.wallMs()}${key}`).digest("hex").slice(0, 16);
    return `${object.slice(0, 230)}.${hash}`;
  }

  #dispatch(): void {
    while (this.#inFlight < maxInFlight) {
      const next = this.#next();
      if (next === undefined) break;
      this.#inFlight++;
      void this.#write(next);
    }
    if (this.#inFlight > 0 || this.#waiting.size > 0) return;
    const woken = this.#wakeFlush;
    this.#wakeFlush = [];
    for (const wake of woken) wake();
  }

  /** The oldest event that may be written now. */
  #next(): WaitingEvent | undefined {
    const { busy, clock } = this.#options;
    if (this.#flushing || busy?.() !== true) return this.#waiting.take();
    const warning = this.#waiting.takeWarning();
    if (warning !== undefined || this.#waiting.size === 0) return warning;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#pausedUntilMs) {
      this.#pausedUntilMs = nowMs + busyPauseMs;
      return this.#waiting.take();
    }
    this.#cancelPause ??= clock.after(this.#pausedUntilMs - nowMs, () => {
      this.#cancelPause = undefined;
      this.#dispatch();
    });
    return undefined;
  }

  async #write(entry: WaitingEvent): Promise<void> {
    const { log, clock } = this.#options;
    try {
      await this.#send(entry);
      this.#written.inc({ result: "written" });
    } catch (error) {
      const { reason, message } = entry.text;
      const object = entry.subject.name;
      // The namespace is being deleted or is gone, and its events with it.
      const unneeded = isNamespaceTerminating(error) || isNotFound(error);
      this.#written.inc({ result: unneeded ? "dropped" : "failed" });
      if (unneeded) log.debug({ object, reason, text: message }, "an event in a namespace that is being deleted");
      else log.warn({ object, reason, text: message, err: error }, "an event could not be written");
      // So that the next occurrence is written.
      this.#recorded.delete(entry.key);
      if (error instanceof ApiError && error.retryAfterMs !== undefined) await pause(clock, error.retryAfterMs);
    }
    this.#inFlight--;
    this.#dispatch();
  }

  async #send(entry: WaitingEvent): Promise<void> {
    const { client } = this.#options;
    const earlier = this.#recorded.get(entry.key);
    const namespace = entry.subject.namespace ?? "default";
    const at = timeText(entry.wallMs);
    if (earlier !== undefined && earlier.count > 1) {
      const body = { count: earlier.count, lastTimestamp: at };
      const path = eventPath(namespace, earlier.name);
      try {
        await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
        return;
      } catch (error) {
        // The API server deletes events after an hour: create it again.
        if (!isNotFound(error)) throw error;
      }
    }
    const name = earlier?.name ?? this.#nameFor(entry.subject.name, entry.key);
    try {
      await client.request({
        method: "POST",
        path: eventPath(namespace),
        body: this.#body(entry, name, namespace, at),
      });
    } catch (error) {
      // The name contains a digest of the event: it was written, and only the answer was lost.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  #body({ subject, text }: WaitingEvent, name: string, namespace: string, at: string): unknown {
    const { component, instance } = this.#options;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: subject,
      type: text.type,
      reason: text.reason,
      message: text.message,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    };
  }
}

/** The same for all repetitions of an event. A digest, so that memory does not grow with the messages. */
function keyOf({ kind, uid, name }: EventSubject, { type, reason, message }: EventText): string {
  return createHash("sha256").update([kind, uid, name, type, reason, message].join("\u0000")).digest("base64url");
}
