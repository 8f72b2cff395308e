import type { Registry } from "../metrics/registry.ts";

/** What is served for one request. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** text/plain where it is missing. */
  readonly contentType?: string;
}

/** Answers a GET. `query` is what follows the `?`. What it throws is answered with status 500. */
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
  /** What is wrong so that only a restart helps; nothing: healthy. */
  readonly unhealthy: () => readonly string[];
  /** What is still missing before the program can do its work; nothing: ready. */
  readonly unready: () => readonly string[];
}

/** /healthz and /readyz: 200, or 503 with one line for each fault. */
export function healthRoutes({ unhealthy, unready }: HealthChecks): Routes {
  return {
    "/healthz": () => faultAnswer(unhealthy()),
    "/readyz": () => faultAnswer(unready()),
  };
}

function faultAnswer(faults: readonly string[]): HttpAnswer {
  return faults.length === 0 ? { status: 200, body: "ok\n" } : { status: 503, body: `${faults.join("\n")}\n` };
}
