import { Counter } from "prom-client";
import type { Registry } from "../../src/metrics/registry.ts";

export interface VirtualIpMetrics {
  /** Changes of a first owner. */
  readonly moves: Counter;
}

/** Registers the metrics. Call it once per registry. */
export function createVirtualIpMetrics(registry: Registry): VirtualIpMetrics {
  return {
    moves: new Counter({
      name: "bellhop_owner_changes_total",
      help: "Addresses that the controller has moved to another first owner.",
      registers: [registry],
    }),
  };
}
