import { setTimeout as sleep } from "node:timers/promises";
import { ask, LongConnection, type Target } from "./probe.ts";
import { runProbe } from "./run-probe.ts";

/** What to do, as JSON in the first argument. */
export interface LoadOptions {
  readonly target: Target;
  /** A question over a new connection every so often. */
  readonly intervalMs: number;
  /** How long one question may take. */
  readonly timeoutMs: number;
  /** How many questions at the most; without it, until the standard input ends. */
  readonly count?: number;
  /** TCP connections kept open and asked once per interval each. */
  readonly longConnections?: number;
}

/** What came of it, as one JSON line on the standard output. */
export interface LoadReport {
  readonly asked: number;
  readonly good: number;
  /** What went wrong and how many ms after the start. */
  readonly failures: ReadonlyArray<{ readonly atMs: number; readonly error: string }>;
  /** Answers by their text. */
  readonly answers: Readonly<Record<string, number>>;
  /** Why connections that were to stay open broke; empty when all are alive. */
  readonly broken: readonly string[];
  /** Answers over the connections that stayed open. */
  readonly longAnswers: number;
}

/** Runs as a program of its own on a host of the lab, so that what it sees is what a client there sees. */
async function runLoad(options: LoadOptions, stopped: () => boolean): Promise<LoadReport> {
  const startMs = performance.now();
  const failures: { atMs: number; error: string }[] = [];
  const answers: Record<string, number> = {};
  const open: Promise<void>[] = [];
  let good = 0;
  let asked = 0;
  const askOnce = async () => {
    const atMs = Math.round(performance.now() - startMs);
    try {
      const answer = await ask(options.target, options.timeoutMs);
      answers[answer] = (answers[answer] ?? 0) + 1;
      good++;
    } catch (error) {
      failures.push({ atMs, error: error instanceof Error ? error.message : String(error) });
    }
  };
  const kept = Array.from({ length: options.longConnections ?? 0 }, () => new LongConnection(options.target));
  while (!stopped() && asked < (options.count ?? Number.POSITIVE_INFINITY)) {
    asked++;
    open.push(askOnce());
    for (const connection of kept) open.push(connection.ask(options.timeoutMs));
    await sleep(options.intervalMs);
  }
  await Promise.all(open);
  for (const connection of kept) connection.close();
  return {
    asked,
    good,
    failures,
    answers,
    broken: kept.flatMap((connection) => connection.broken ?? []),
    longAnswers: kept.reduce((sum, connection) => sum + connection.answers, 0),
  };
}

if (import.meta.main) await runProbe(runLoad);
