import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs } from "./monotonic.ts";
import { ask, LongConnection, type Target } from "./probe.ts";
import { runProbe } from "./run-probe.ts";

/** What to ask, as JSON in the first argument. */
export interface ClientOptions {
  readonly targets: readonly Target[];
  /** A new connection to each target so often. */
  readonly intervalMs: number;
  /** A request that takes longer has failed. */
  readonly timeoutMs: number;
  /** Connections to each target that are kept open. */
  readonly connections: number;
  /** A request over each of them so often; the connection is broken when the answer takes longer than `connectionTimeoutMs`. */
  readonly connectionIntervalMs: number;
  readonly connectionTimeoutMs: number;
  /** Ends after so many requests to each target; otherwise when the standard input ends. */
  readonly count?: number;
}

/** Times are those of CLOCK_MONOTONIC in ms. */
export interface RequestRecord {
  /** Index in `targets`. */
  readonly target: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Undefined for a good answer. */
  readonly error?: string;
}

export interface ClientReport {
  readonly requests: readonly RequestRecord[];
  /** Connections that were to stay open, and those that did not: when and why they broke. */
  readonly connections: number;
  readonly broken: ReadonlyArray<{ readonly target: number; readonly atMs: number; readonly error: string }>;
}

/** Asks all targets at the same pace, each in the next part of the interval, so that the requests do not come in bursts. */
async function runClient(options: ClientOptions, stopped: () => boolean, ready: () => void): Promise<ClientReport> {
  const { targets, intervalMs, timeoutMs } = options;
  const requests: RequestRecord[] = [];
  const broken: { target: number; atMs: number; error: string }[] = [];
  const open = new Set<Promise<void>>();
  const keep = (work: Promise<void>) => {
    open.add(work);
    void work.finally(() => open.delete(work));
  };
  const askOnce = async (index: number, target: Target) => {
    const startMs = monotonicMs();
    try {
      await ask(target, timeoutMs);
      requests.push({ target: index, startMs, endMs: monotonicMs() });
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      requests.push({ target: index, startMs, endMs: monotonicMs(), error });
    }
  };
  const kept = targets.flatMap((target, index) =>
    Array.from({ length: options.connections }, () => ({
      index,
      connection: new LongConnection(target),
      noted: false,
    })),
  );
  const askKept = async (one: (typeof kept)[number]) => {
    await one.connection.ask(options.connectionTimeoutMs);
    if (one.connection.broken === undefined || one.noted) return;
    one.noted = true;
    broken.push({ target: one.index, atMs: monotonicMs(), error: one.connection.broken });
  };
  await Promise.all(kept.map(askKept));
  ready();
  const startMs = monotonicMs();
  const perTarget = options.count ?? Number.POSITIVE_INFINITY;
  const keptEvery = Math.max(1, Math.round((options.connectionIntervalMs / intervalMs) * targets.length));
  for (let turn = 0; !stopped() && turn < perTarget * targets.length; turn++) {
    const index = turn % targets.length;
    const target = targets[index];
    if (target !== undefined) keep(askOnce(index, target));
    if (turn % keptEvery === 0) for (const one of kept) keep(askKept(one));
    const waitMs = startMs + ((turn + 1) * intervalMs) / targets.length - monotonicMs();
    if (waitMs > 0) await sleep(waitMs);
  }
  await Promise.all(open);
  for (const { connection } of kept) connection.close();
  return { requests, connections: kept.length, broken };
}

if (import.meta.main) await runProbe(runClient);
