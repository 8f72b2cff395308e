import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

export type { Registry };

/** An empty registry; every component adds its own metrics to it, all named `bellhop_…`. */
export function createRegistry(): Registry {
  return new Registry();
}

/**
 * How often the lag of the event loop is sampled. The default of prom-client, 10 ms, wakes a process at rest a hundred times a second, which was most of
 * what it did.
 */
const lagSampleMs = 200;

/** Adds what Node reports about the process: memory, event loop lag, garbage collection. Starts observers that end with the process. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: lagSampleMs });
}

/** Adds the version of the program as the label of a gauge that is always 1. */
export function showVersion(registry: Registry, version: string): void {
  const help = "Always 1. The label is the version of the program.";
  new Gauge({ name: "bellhop_build_info", help, labelNames: ["version"], registers: [registry] }).set({ version }, 1);
}
