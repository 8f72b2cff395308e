import type { EventSubject, EventText } from "./event.ts";

/** An event that is still to be written. */
export interface WaitingEvent {
  readonly subject: EventSubject;
  readonly text: EventText;
  /** The same for all repetitions of the event. */
  readonly key: string;
  readonly wallMs: number;
}

const mostWaiting = 5_000;

/** A queue of events, oldest first. When it is full, a Warning replaces the oldest Normal event, and other events are dropped. */
export class WaitingEvents {
  readonly #onDropped: () => void;
  #events: WaitingEvent[] = [];
  #warnings = 0;

  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#events.length;
  }

  /** Whether there is room for one more of this type; for a Warning, a Normal event may be dropped. */
  makeRoom(type: EventText["type"]): boolean {
    if (this.#events.length < mostWaiting) return true;
    this.#onDropped();
    const dropped = type === "Warning" ? this.#events.findIndex(({ text }) => text.type === "Normal") : -1;
    if (dropped < 0) return false;
    this.#events.splice(dropped, 1);
    return true;
  }

  add(event: WaitingEvent): void {
    this.#events.push(event);
    if (event.text.type === "Warning") this.#warnings++;
  }

  /** Takes the oldest. */
  take(): WaitingEvent | undefined {
    const event = this.#events.shift();
    if (event?.text.type === "Warning") this.#warnings--;
    return event;
  }

  /** Takes the oldest Warning. */
  takeWarning(): WaitingEvent | undefined {
    if (this.#warnings === 0) return undefined;
    this.#warnings--;
    return this.#events.splice(
      this.#events.findIndex(({ text }) => text.type === "Warning"),
      1,
    )[0];
  }
}
