import { Counter } from "prom-client";
import type { Registry } from "../../src/metrics/registry.ts";

export interface VirtualIpMetrics {
  /** First owners that the controller has changed. */
  readonly moves: Counter;
}

/** Registers them; call once per registry. */
export function createVirtualIpMetrics(registry: Registry): VirtualIpMetrics {
  return {
    moves: new Counter({
      name: "bellhop_owner_changes_total",
      help: "Addresses whose first owner the controller has changed.",
      registers: [registry],
    }),
  };
}
