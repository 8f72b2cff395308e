import { Backoff } from "../clock/backoff.ts";
import type { Clock, Random } from "../clock/clock.ts";
import { type Turn, turnOf } from "../clock/turn.ts";

/** How work on a key ended. After `retry` the key is handled again after a while, as after a failure. */
export type WorkResult = "done" | "retry";

export interface QueueOptions<Key> {
  /** How many keys may be handled at the same time. One key is never handled twice at the same time. */
  readonly workers: number;
  /** When it throws, the key is handled again after a while. */
  readonly handle: (key: Key) => Promise<WorkResult>;
  /** Called after each failure; the key is handled again after `retryMs`. */
  readonly onFailure: (key: Key, error: unknown, retryMs: number) => void;
  /** The least time to wait after an error, such as its Retry-After. */
  readonly retryAfterMs?: (error: unknown) => number | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** First wait after a failure; it doubles. After a conflict, the most common failure, one round trip is enough. */
const backoffBaseMs = 200;
const backoffMaxMs = 60_000;

/**
 * A queue of work by key. A key that is added while it waits is handled once; one that is added while it is handled is handled again
 * afterwards. A failed key waits longer each time until it succeeds. Nothing is handled before start(). Other work of the process gets
 * its turn, however many keys wait.
 */
export class Queue<Key> {
  readonly #options: QueueOptions<Key>;
  /** In order of arrival. */
  readonly #waiting = new Set<Key>();
  readonly #active = new Set<Key>();
  /** Added while active. */
  readonly #again = new Set<Key>();
  readonly #later = new Map<Key, { readonly dueMs: number; readonly cancel: () => void }>();
  readonly #backoffs = new Map<Key, Backoff>();
  readonly #turn: Turn;
  #running = false;
  #postponed = false;
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions<Key>) {
    this.#options = options;
    this.#turn = turnOf(options.clock);
  }

  /** How many keys wait for a worker; delayed keys are not counted. */
  get depth(): number {
    return this.#waiting.size + this.#again.size;
  }

  /** How many keys have failed and have not succeeded since. */
  get failing(): number {
    return this.#backoffs.size;
  }

  add(key: Key): void {
    this.#cancelLater(key);
    if (this.#active.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#dispatch();
  }

  /** Adds the key after `ms`, or sooner if it is already due sooner. Does nothing for a key that waits for a worker. */
  addAfter(key: Key, ms: number): void {
    if (this.#waiting.has(key) || this.#again.has(key)) return;
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + ms;
    const present = this.#later.get(key);
    if (present !== undefined && present.dueMs <= dueMs) return;
    present?.cancel();
    this.#later.set(key, { dueMs, cancel: clock.after(ms, () => this.add(key)) });
  }

  start(): void {
    this.#running = true;
    this.#dispatch();
  }

  /** Begins no more work, and resolves when the work in progress is done. Waiting keys stay for the next start(). */
  async stop(): Promise<void> {
    this.#running = false;
    for (const [key, entry] of this.#later) {
      entry.cancel();
      this.#waiting.add(key);
    }
    this.#later.clear();
    if (this.#active.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #dispatch(): void {
    for (const key of this.#waiting) {
      if (!this.#running || this.#postponed || this.#active.size >= this.#options.workers) return;
      if (this.#turn.over) this.#postpone();
      else this.#begin(key);
    }
  }

  /** Handlers that wait for nothing would otherwise all run within one turn of the event loop. */
  #postpone(): void {
    this.#postponed = true;
    void this.#turn.next().then(() => {
      this.#postponed = false;
      const [key] = this.#waiting;
      // At least one, even if others have used up the turn.
      if (key !== undefined && this.#running && this.#active.size < this.#options.workers) this.#begin(key);
      this.#dispatch();
    });
  }

  #begin(key: Key): void {
    this.#waiting.delete(key);
    this.#active.add(key);
    void this.#work(key);
  }

  async #work(key: Key): Promise<void> {
    try {
      if ((await this.#options.handle(key)) === "done") this.#backoffs.delete(key);
      else this.#retryAfter(key, this.#nextWaitMs(key));
    } catch (error) {
      const waitMs = Math.max(this.#nextWaitMs(key), this.#options.retryAfterMs?.(error) ?? 0);
      this.#options.onFailure(key, error, waitMs);
      this.#retryAfter(key, waitMs);
    }
    this.#active.delete(key);
    if (this.#again.delete(key)) this.#waiting.add(key);
    this.#dispatch();
    if (this.#active.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #nextWaitMs(key: Key): number {
    let backoff = this.#backoffs.get(key);
    if (backoff === undefined) {
      backoff = new Backoff(backoffBaseMs, backoffMaxMs, this.#options.random);
      this.#backoffs.set(key, backoff);
    }
    return backoff.nextMs();
  }

  #retryAfter(key: Key, waitMs: number): void {
    if (this.#running) this.addAfter(key, waitMs);
    else this.#waiting.add(key);
  }

  #cancelLater(key: Key): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
