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
      help: "Service reconciliations, by result.",
      labelNames: ["result"],
      registers,
    }),
    reconcileSeconds: new Histogram({
      name: "bellhop_reconcile_seconds",
      help: "Time from the start of a Service reconciliation to its last write.",
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15],
      registers,
    }),
    refusals: new Counter({
      name: "bellhop_refusals_total",
      help: "Services that were refused an address for a new reason, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    operations: new Counter({
      name: "bellhop_operations_total",
      help: "Steps planned for Services, by kind of step.",
      labelNames: ["kind"],
      registers,
    }),
  };
}
