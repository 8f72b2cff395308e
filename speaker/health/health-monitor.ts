import type { Clock } from "../../src/clock/clock.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { FamilyWrites } from "../dataplane/dataplane.ts";
import type { Counters } from "../responder/counters.ts";
import { type NodeHealth, nodeHealth } from "./node-health.ts";

export interface HealthMonitorOptions {
  readonly dataplane: { writesOf(family: IpFamily): FamilyWrites };
  readonly responder: { readonly counters: Pick<Counters, "read"> };
  readonly clock: Clock;
}

/** A look that comes later was late with the whole process, as when it was frozen, and not with the responder thread. */
const longestLookMs = 3_000;

/** The health of the node as it was last looked at. */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  /** Undefined: rules are not written yet. */
  #startedMs: number | undefined;
  #turns = 0;
  #lookedMs: number;
  #silentMs = 0;
  #current: NodeHealth;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    this.#lookedMs = options.clock.monotonicMs();
    this.#current = this.#look();
  }

  get current(): NodeHealth {
    return this.#current;
  }

  /** Rules are written from now on. */
  start(): void {
    this.#startedMs = this.#options.clock.monotonicMs();
  }

  /** Looks again. Returns whether anything has changed. Call it every few seconds, and after each write. */
  update(): boolean {
    const before = JSON.stringify(this.#current);
    this.#current = this.#look();
    return JSON.stringify(this.#current) !== before;
  }

  #look(): NodeHealth {
    const { dataplane, responder, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const turns = responder.counters.read("turns");
    const alive = turns !== this.#turns || this.#startedMs === undefined;
    this.#silentMs = alive ? 0 : this.#silentMs + Math.min(nowMs - this.#lookedMs, longestLookMs);
    this.#lookedMs = nowMs;
    this.#turns = turns;
    return nodeHealth({
      nowMs,
      startedMs: this.#startedMs ?? nowMs,
      writes: { IPv4: dataplane.writesOf("IPv4"), IPv6: dataplane.writesOf("IPv6") },
      silentMs: this.#silentMs,
    });
  }
}
