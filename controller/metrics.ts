import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "../src/metrics/registry.ts";
import type { AddressAllocations } from "./allocate/address-allocations.ts";
import type { Claim } from "./allocate/claim.ts";

export interface ControllerMetrics {
  readonly leading: Gauge;
  readonly reconciles: Counter<"result">;
  readonly reconcileSeconds: Histogram;
  readonly refusals: Counter<"reason">;
  readonly operations: Counter<"kind">;
  readonly moves: Counter;
}

/** What is read when somebody asks for the metrics. */
export interface MetricSources {
  readonly allocations: AddressAllocations;
  /** Claims whose address no pool has. */
  readonly outside: () => Iterable<Claim>;
  readonly pendingByReason: () => ReadonlyMap<string, number>;
  readonly queues: () => readonly { readonly name: string; readonly depth: number; readonly failing: number }[];
  readonly liveSpeakers: () => number;
  readonly ownersByNode: () => ReadonlyMap<string, number>;
}

/** Registers them; call once per registry. */
export function createControllerMetrics(registry: Registry, sources: MetricSources): ControllerMetrics {
  const registers = [registry];
  registerStateGauges(registry, sources);
  return {
    leading: new Gauge({ name: "bellhop_leading", help: "1 while this one leads.", registers }),
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
    moves: new Counter({
      name: "bellhop_owner_changes_total",
      help: "Addresses whose first owner the controller has changed.",
      registers,
    }),
  };
}

function registerStateGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const { allocations } = sources;
  new Gauge({
    name: "bellhop_pool_addresses",
    help: "Addresses of each pool that serves, by family and state (rounded beyond 2^53).",
    labelNames: ["pool", "family", "state"],
    registers,
    collect() {
      this.reset();
      for (const { name: pool } of allocations.pools) {
        for (const family of ["IPv4", "IPv6"] as const) {
          const count = allocations.countOf(pool, family);
          if (count === undefined) continue;
          this.set({ pool, family, state: "assigned" }, Number(count.assigned));
          this.set({ pool, family, state: "available" }, Number(count.available));
        }
      }
    },
  });
  new Gauge({
    name: "bellhop_addresses_outside_pool",
    help: "Addresses that Services keep although the pool does not have them any more.",
    labelNames: ["pool"],
    registers,
    collect() {
      this.reset();
      for (const { pool = "" } of sources.outside()) this.inc({ pool });
    },
  });
  new Gauge({
    name: "bellhop_pools_set_aside",
    help: "Pools that give no addresses because something is wrong with them.",
    registers,
    collect() {
      this.set(allocations.rejected.size);
    },
  });
  new Gauge({
    name: "bellhop_services_pending",
    help: "Services that lack an address they should have, by reason.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of sources.pendingByReason()) this.set({ reason }, count);
    },
  });
  new Gauge({
    name: "bellhop_queue_keys",
    help: "Keys in the work queues, by state.",
    labelNames: ["queue", "state"],
    registers,
    collect() {
      for (const { name: queue, depth, failing } of sources.queues()) {
        this.set({ queue, state: "waiting" }, depth);
        this.set({ queue, state: "failing" }, failing);
      }
    },
  });
  new Gauge({
    name: "bellhop_speakers_live",
    help: "Nodes whose speaker renews its lease.",
    registers,
    collect() {
      this.set(sources.liveSpeakers());
    },
  });
  new Gauge({
    name: "bellhop_addresses_owned",
    help: "Addresses of which a node is first owner.",
    labelNames: ["node"],
    registers,
    collect() {
      this.reset();
      for (const [node, count] of sources.ownersByNode()) this.set({ node }, count);
    },
  });
}
