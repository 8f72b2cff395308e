import type { Registry } from "../metrics/registry.ts";

/** The answer to one request. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Default: text/plain. */
  readonly contentType?: string;
}

/** Answers a GET. `query` is what follows the `?`. If it throws, the answer has status 500. */
export type RouteHandler = (query: URLSearchParams) => HttpAnswer | Promise<HttpAnswer>;

/** By exact path, with its leading slash. */
export type Routes = Readonly<Record<string, RouteHandler>>;

/** /metrics, in the Prometheus text format. */
export function metricsRoute(registry: Registry): Routes {
  return {
    "/metrics": async () => ({ status: 200, body: await registry.metrics(), contentType: registry.contentType }),
  };
}

export interface HealthChecks {
  /** Problems that only a restart solves; empty: healthy. */
  readonly unhealthy: () => readonly string[];
  /** What is still missing before the program can do its work; empty: ready. */
  readonly unready: () => readonly string[];
}

/** /healthz and /readyz: 200, or 503 with one line for each problem. */
export function healthRoutes({ unhealthy, unready }: HealthChecks): Routes {
  return {
    "/healthz": () => healthAnswer(unhealthy()),
    "/readyz": () => healthAnswer(unready()),
  };
}

function healthAnswer(problems: readonly string[]): HttpAnswer {
  return problems.length === 0 ? { status: 200, body: "ok\n" } : { status: 503, body: `${problems.join("\n")}\n` };
}
