import { collectDefaultMetrics, Registry } from "prom-client";

export type { Registry };

/** An empty registry; every room adds its own metrics to it, all named `bellhop_…`. */
export function createRegistry(): Registry {
  return new Registry();
}

/** Adds what Node tells about the process itself (memory, event loop lag, garbage collection). Not for tests: it starts observers. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
