import { Counter, Histogram } from "prom-client";
import type { Registry } from "../../src/metrics/registry.ts";

export interface ServiceMetrics {
  readonly reconciles: Counter<"result">;
  readonly reconcileSeconds: Histogram;
  readonly refusals: Counter<"reason">;
  readonly operations: Counter<"kind">;
}

/** Registers the metrics. Call it once per registry. */
export function createServiceMetrics(registry: Registry): ServiceMetrics {
  const registers = [registry];
  return {
    reconciles: new Counter({
      name: "bellhop_reconciles_total",
      help: "Services worked on, by what came of it.",
      labelNames: ["result"],
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: "bellhop_reconcile_seconds",
      help: "Time from taking a Service up to having written all of it.",
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15],
      registers,
    }),
    refusals: new Counter({
      name: "bellhop_refusals_total",
      help: "Times that a Service was told a new reason why it cannot have an address.",
      labelNames: ["reason"],
      registers,
    }),
    operations: new Counter({
      name: "bellhop_operations_total",
      help: "Steps planned for Services, by kind.",
      labelNames: ["kind"],
      registers,
    }),
  };
}
