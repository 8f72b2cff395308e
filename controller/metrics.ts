import { Gauge } from "prom-client";
import { ipFamilies } from "../src/ip/address.ts";
import type { LeadershipTerm } from "../src/kube/leadership-term.ts";
import type { Registry } from "../src/metrics/registry.ts";
import type { ClusterState } from "./observe/cluster-state.ts";
import type { SpeakerWatch } from "./observe/speaker-watch.ts";
import type { PoolStatusLoop } from "./pools/pool-status-loop.ts";
import type { ServiceLoop } from "./services/service-loop.ts";
import type { OwnerAssignments } from "./virtual-ips/owner-assignments.ts";
import type { VirtualIpLoop } from "./virtual-ips/virtual-ip-loop.ts";

/** The parts that the gauges read. */
export interface MetricSources {
  readonly term: LeadershipTerm;
  readonly state: ClusterState;
  readonly services: ServiceLoop;
  readonly virtualIps: VirtualIpLoop;
  readonly pools: PoolStatusLoop;
  readonly speakers: SpeakerWatch;
  readonly ownerAssignments: OwnerAssignments;
}

/**
 * Registers the gauges, which read the controller's parts at each scrape. Call it once per registry. What watches tell, every replica
 * exports; what only a leader learns while it works has values only while this replica leads.
 */
export function registerControllerGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const { term, state, services, virtualIps, pools, speakers, ownerAssignments } = sources;
  const { allocations } = state;
  new Gauge({
    name: "bellhop_leading",
    help: "1 while this replica is the leader, otherwise 0.",
    registers,
    collect() {
      this.set(term.active ? 1 : 0);
    },
  });
  new Gauge({
    name: "bellhop_pool_addresses",
    help: "Addresses of each usable pool, by IP family and state (rounded beyond 2^53).",
    labelNames: ["pool", "family", "state"],
    registers,
    collect() {
      this.reset();
      for (const { name: pool } of allocations.pools) {
        for (const family of ipFamilies) {
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
    help: "Addresses that Services keep although the pool no longer contains them.",
    labelNames: ["pool"],
    registers,
    collect() {
      this.reset();
      for (const { pool = "" } of state.currentAllocations().outside.values()) this.inc({ pool });
    },
  });
  new Gauge({
    name: "bellhop_pools_rejected",
    help: "Pools that are rejected and assign no addresses.",
    registers,
    collect() {
      this.set(allocations.rejected.size);
    },
  });
  new Gauge({
    name: "bellhop_services_pending",
    help: "Services without an address that they should have, by reason. Only the leader exports it.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      if (!term.active) return;
      for (const [reason, count] of countReasons(services.pending.values())) this.set({ reason }, count);
    },
  });
  new Gauge({
    name: "bellhop_queue_keys",
    help: "Objects in the work queues, by state.",
    labelNames: ["queue", "state"],
    registers,
    collect() {
      const queues = { Service: services.queue, VirtualIP: virtualIps.queue, IPAddressPool: pools.queue };
      for (const [queue, { depth, failing }] of Object.entries(queues)) {
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
      this.set(speakers.live.size);
    },
  });
  new Gauge({
    name: "bellhop_addresses_owned",
    help: "Addresses of which the node is the first owner. Only the leader exports it.",
    labelNames: ["node"],
    registers,
    collect() {
      this.reset();
      if (!term.active) return;
      for (const [node, count] of ownerAssignments.loads) this.set({ node }, count);
    },
  });
}

function countReasons(reasons: Iterable<{ readonly code: string }>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { code } of reasons) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
