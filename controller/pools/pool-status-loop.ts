import type { Clock, Random } from "../../src/clock/clock.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import type { EventRecorder } from "../../src/kube/event.ts";
import type { TermPart } from "../../src/kube/leadership-term.ts";
import { createObjectQueue } from "../../src/kube/object-queue.ts";
import type { Logger } from "../../src/log/log.ts";
import type { Queue, WorkResult } from "../../src/queue/queue.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watched } from "../observe/sources.ts";
import { poolFactsOf } from "./pool-facts.ts";
import { writePoolStatus } from "./pool-status.ts";

export interface PoolStatusLoopOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly pools: Watched["pools"];
  readonly state: ClusterState;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The status of a pool is written at most this often, because each write wakes every reader of pools. */
const delayMs = 1_000;
const workers = 2;

/** Keeps the status of pools up to date. */
export class PoolStatusLoop implements TermPart {
  readonly #options: PoolStatusLoopOptions;
  readonly queue: Queue<string>;

  constructor(options: PoolStatusLoopOptions) {
    const { clock, random, log } = options;
    this.#options = options;
    this.queue = createObjectQueue({
      kind: "IPAddressPool",
      workers,
      handle: (name) => this.#write(name),
      clock,
      random,
      log,
    });
  }

  /** Call it when the status of these pools may have changed. It is written a second later, once for all changes until then. */
  addSoon(names: Iterable<string>): void {
    for (const name of names) this.queue.addAfter(name, delayMs);
  }

  start(): void {
    this.queue.start();
  }

  stop(): Promise<void> {
    return this.queue.stop();
  }

  async #write(name: string): Promise<WorkResult> {
    const { client, events, pools, state, clock } = this.#options;
    const pool = state.pools.object(name);
    if (pool === undefined) return "done";
    const facts = poolFactsOf(name, pools, state.currentAllocations());
    await writePoolStatus({ client, events, clock }, pool, facts);
    return "done";
  }
}
