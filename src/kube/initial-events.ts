import type { Clock } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";

/** Set on the bookmark that ends the initial events (apimachinery pkg/apis/meta/v1 InitialEventsAnnotationKey). */
const endAnnotation = "k8s.io/initial-events-end";
/** As long as a list may be silent. */
const silenceMs = 30_000;

/**
 * The first part of a watch that begins with the whole collection (WatchList): which objects have come, and whether that goes on.
 * The watch itself may be silent for longer than a list, so this ends it when nothing comes before the end of the list.
 */
export class InitialEvents {
  readonly keys = new Set<string>();
  readonly #clock: Clock;
  readonly #aborter = new AbortController();
  #heardMs: number;
  #cancel: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardMs = clock.monotonicMs();
    this.#cancel = clock.after(silenceMs, () => this.#check());
  }

  /** Aborted when nothing has come for too long. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Call it when the end has come, or will not come any more. */
  stop(): void {
    this.#cancel();
  }

  /** Throws ApiUnreachable when it was given up. */
  throwIfGivenUp(): void {
    if (this.signal.aborted) throw new BellhopError("ApiUnreachable", `no byte of a list for ${silenceMs} ms`);
  }

  #check(): void {
    const restMs = this.#heardMs + silenceMs - this.#clock.monotonicMs();
    if (restMs > 0) this.#cancel = this.#clock.after(restMs, () => this.#check());
    else this.#aborter.abort();
  }
}

/** Whether this bookmark says that all initial events have been sent. */
export function endsInitialEvents(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return annotations?.[endAnnotation] === "true";
}
