import { type Clock, type Random, systemClock } from "../clock/clock.ts";
import { keepHttpServer } from "../http/keep-http-server.ts";
import { healthRoutes, metricsRoute, type Routes } from "../http/routes.ts";
import type { ApiClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { createKubeMetrics, type KubeMetrics } from "../kube/metrics.ts";
import { createLogger, type Logger, type LogLevel } from "../log/log.ts";
import { collectProcessMetrics, createRegistry, type Registry, showVersion } from "../metrics/registry.ts";
import { requireKubernetes, type VersionCheckOptions } from "./kubernetes-version.ts";
import { version } from "./version.ts";

/** The settings that every program has. */
export interface ProgramSettings {
  readonly kubeconfig?: string | undefined;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly logLevel: LogLevel;
}

/** What a program receives from `runProgram`. */
export interface Program {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly kubeMetrics: KubeMetrics;
}

/** A program's own part. */
export interface ProgramWork {
  /** What is still missing before the program can do its work; empty: it is ready. */
  readonly unready: () => readonly string[];
  /** Fields of the log line that says that the program has started. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Served besides /metrics, /healthz and /readyz. */
  readonly routes?: Routes;
  /** Works until the signal is aborted, and returns when all work has ended. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Runs one of Bellhop's programs until its work is over. Starts what every program has, in this order: log, metrics, the connection
 * to the API server, the program's own part, the HTTP server, the work. If another process has the port, only the HTTP server is delayed.
 * If Kubernetes is too old, the work ends as soon as the API server says so. At the end the HTTP server closes after the work, so that
 * probes are answered while it finishes; then the connection closes. Throws what prevents the start and what the work throws; in both
 * cases nothing stays open.
 */
export async function runProgram(
  name: string,
  settings: ProgramSettings,
  signal: AbortSignal,
  prepare: (program: Program) => ProgramWork,
): Promise<void> {
  const log = createLogger(settings.logLevel, name);
  const registry = createRegistry();
  collectProcessMetrics(registry);
  showVersion(registry, version);
  const kubeMetrics = createKubeMetrics(registry);
  const client = await connect(`${name}/${version}`, settings, kubeMetrics);
  try {
    const work = prepare({ client, clock: systemClock, random: Math.random, log, registry, kubeMetrics });
    const routes = {
      ...metricsRoute(registry),
      ...healthRoutes({ unhealthy: () => [], unready: work.unready }),
      ...work.routes,
    };
    const http = await keepHttpServer({
      host: settings.httpHost,
      port: settings.httpPort,
      routes,
      clock: systemClock,
      random: Math.random,
      log: log.child({ component: "http" }),
    });
    try {
      log.info({ version, port: http.port, ...work.facts }, "started");
      await runOnKubernetes(work, { client, clock: systemClock, random: Math.random, log }, signal);
    } finally {
      await http.close();
    }
  } finally {
    client.close();
    log.info("stopped");
  }
}

/** Runs the work until the signal is aborted or Kubernetes turns out to be too old. The work does not wait for the answer. */
async function runOnKubernetes(work: ProgramWork, options: VersionCheckOptions, signal: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  let refusal: unknown;
  const checking = new AbortController();
  void requireKubernetes(options, AbortSignal.any([either, checking.signal])).catch((error: unknown) => {
    refusal = error;
    options.log.error({ err: error }, "ending");
    ending.abort();
  });
  try {
    await work.run(either);
  } finally {
    checking.abort();
  }
  if (refusal !== undefined) throw refusal;
}
