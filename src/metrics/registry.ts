import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { collectEventLoopLag, withoutLagSamples } from "./event-loop-lag.ts";

export type { Registry };

/** An empty registry; every component adds its own metrics to it, all named `bellhop_…`. */
export function createRegistry(): Registry {
  return new Registry();
}

/** Adds what Node reports about the process: memory, event loop lag, garbage collection. Starts observers that end with the process. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, ...withoutLagSamples });
  collectEventLoopLag(registry);
}

/** Adds the version of the program as the label of a gauge that is always 1. */
export function showVersion(registry: Registry, version: string): void {
  const help = "Always 1. The label is the version of the program.";
  new Gauge({ name: "bellhop_build_info", help, labelNames: ["version"], registers: [registry] }).set({ version }, 1);
}
