import type { Clock } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";

/** Set on the bookmark that ends the initial events (apimachinery pkg/apis/meta/v1 InitialEventsAnnotationKey). */
const endAnnotation = "k8s.io/initial-events-end";
/** The longest silence that a list may have. */
const silenceMs = 30_000;

/**
 * The initial events of a watch that begins with the whole collection (WatchList): which objects have arrived. A watch may be silent for
 * longer than a list, so this aborts it if nothing arrives for too long before the list is complete.
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

  /** Aborted when nothing has arrived for too long. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Call it when the list is complete, or the watch has ended. */
  stop(): void {
    this.#cancel();
  }

  /** Throws ApiUnreachable if the watch was aborted because of silence. */
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
