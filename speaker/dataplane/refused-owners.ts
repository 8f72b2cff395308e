import { Backoff } from "../../src/clock/backoff.ts";
import type { Clock, Random } from "../../src/clock/clock.ts";
import type { Element } from "./element.ts";
import { keepElements, sameKept } from "./kept-element.ts";

/** An owner whose rules the kernel refuses. */
export interface RefusedOwner {
  /** What it desires, and does not get. */
  readonly elements: readonly Element[];
  /** What the kernel answered. */
  readonly reason: string;
}

interface Entry extends RefusedOwner {
  readonly backoff: Backoff;
  readonly dueMs: number;
}

/** The first wait before the rules of an owner are tried again, and the longest; each is twice the one before. */
const retryBaseMs = 1_000;
const retryMaxMs = 5 * 60_000;

/** The owners whose elements the kernel refuses, and when each is tried again. Times are monotonic. */
export class RefusedOwners {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get(owner: string): RefusedOwner | undefined {
    return this.#entries.get(owner);
  }

  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  /** The kernel has refused these elements, again or for the first time. */
  refuse(owner: string, elements: readonly Element[], reason: string): void {
    const backoff = this.#entries.get(owner)?.backoff ?? new Backoff(retryBaseMs, retryMaxMs, this.#random);
    const dueMs = this.#clock.monotonicMs() + backoff.nextMs();
    this.#entries.set(owner, { elements, reason, backoff, dueMs });
  }

  /** The owner desires these now: if they differ, they are due at once. */
  change(owner: string, elements: readonly Element[]): void {
    const entry = this.#entries.get(owner);
    if (entry === undefined || sameElements(entry.elements, elements)) return;
    this.#entries.set(owner, { ...entry, elements, dueMs: this.#clock.monotonicMs() });
  }

  accept(owner: string): void {
    this.#entries.delete(owner);
  }

  /** The owners that are to be tried again now. */
  get due(): readonly string[] {
    const now = this.#clock.monotonicMs();
    return [...this.#entries].filter(([, { dueMs }]) => dueMs <= now).map(([owner]) => owner);
  }

  /** When the next one is due; undefined: none. */
  get nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#entries.values()) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }
}

function sameElements(left: readonly Element[], right: readonly Element[]): boolean {
  const [before, now] = [keepElements(left), keepElements(right)];
  if (before.size !== now.size) return false;
  for (const [id, kept] of now) {
    const other = before.get(id);
    if (other === undefined || !sameKept(other, kept)) return false;
  }
  return true;
}
