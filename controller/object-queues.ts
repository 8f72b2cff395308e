import type { Counter } from "prom-client";
import type { Clock, Random } from "../src/clock/clock.ts";
import { ApiError, isConflict } from "../src/kube/api-error.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { EventRecorder } from "../src/kube/event.ts";
import type { Logger } from "../src/log/log.ts";
import { Queue } from "../src/queue/queue.ts";
import { WriteRateLimiter } from "../src/queue/write-rate-limiter.ts";
import type { ClusterState } from "./observe/cluster-state.ts";
import type { Watched } from "./observe/watches.ts";
import { writePoolStatus } from "./pools/pool-status.ts";
import type { HoldDeadlines } from "./virtual-ips/hold-deadlines.ts";
import type { OwnerAssignments } from "./virtual-ips/owner-assignments.ts";
import { writeVirtualIp } from "./virtual-ips/virtual-ip-writer.ts";

export interface ObjectQueuesOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  /** How many VirtualIPs may be written at once. */
  readonly workers: number;
  readonly watches: () => Watched;
  readonly clusterState: () => ClusterState;
  readonly keeper: () => OwnerAssignments;
  readonly holds: HoldDeadlines;
  /** Counts first owners that changed. */
  readonly moves: () => Counter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Counts of a pool are written at most this often; each write wakes every reader of pools. */
const poolStatusDelayMs = 1_000;

/** What waits to be written but Services: owners, pool and conditions of VirtualIPs, and the status of pools. */
export class ObjectQueues {
  readonly #options: ObjectQueuesOptions;
  readonly #pace: WriteRateLimiter;
  readonly virtualIps: Queue<string>;
  readonly pools: Queue<string>;

  constructor(options: ObjectQueuesOptions) {
    this.#options = options;
    this.#pace = new WriteRateLimiter(options.clock);
    this.virtualIps = this.#queue("VirtualIP", options.workers, (name) => this.#writeVirtualIp(name));
    this.pools = this.#queue("IPAddressPool", 2, (name) => this.#writePool(name));
  }

  /** What a VirtualIP says differs from what it should. It is written now, or later when it has been written to very often. */
  addVirtualIp(name: string): void {
    this.#pace.add(this.virtualIps, name);
  }

  /** What the status of these pools says may have changed. */
  notePools(...names: readonly string[]): void {
    for (const name of names) this.pools.addAfter(name, poolStatusDelayMs);
  }

  start(): void {
    this.virtualIps.start();
    this.pools.start();
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    await Promise.all([this.virtualIps.stop(), this.pools.stop()]);
  }

  #writeVirtualIp(name: string): Promise<void> {
    const { client, events, watches, keeper, holds, moves, clock } = this.#options;
    const clusterState = this.#options.clusterState();
    const writer = {
      client,
      events,
      keeper: keeper(),
      virtualIps: () => watches().virtualIps.views,
      membership: (virtualIp: string) => clusterState.membership(virtualIp),
      holds,
      heldUntilMs: (virtualIp: string) => clusterState.allocations.claims.get(virtualIp)?.heldUntilMs,
      later: (virtualIp: string, ms: number) => this.virtualIps.addAfter(virtualIp, ms),
      fault: (virtualIp: string) => clusterState.claimReason(virtualIp),
      moves: moves(),
      onWrite: () => this.#pace.recordWrite(name),
      clock,
    };
    return writeVirtualIp(writer, name);
  }

  #writePool(name: string): Promise<void> {
    const { client, events, clusterState, clock } = this.#options;
    const pool = clusterState().poolObject(name);
    if (pool === undefined) return Promise.resolve();
    return writePoolStatus({ client, events, clock }, pool, clusterState().poolFacts(name));
  }

  #queue(kind: string, workers: number, handle: (key: string) => Promise<void>): Queue<string> {
    const { clock, random, log } = this.#options;
    return new Queue({
      workers,
      handle,
      onFailure: (key, error, retryMs) => {
        if (isConflict(error)) return;
        log.warn({ kind, object: key, retryMs: Math.round(retryMs), err: error }, "an object could not be written");
      },
      retryAfterMs: (error) => (error instanceof ApiError ? error.retryAfterMs : undefined),
      clock,
      random,
    });
  }
}
