import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "../../src/metrics/registry.ts";

/** Metrics of the data plane. `family` is IPv4 or IPv6. */
export interface DataplaneMetrics {
  readonly transactions: Counter<"family" | "kind">;
  readonly failures: Counter<"family">;
  readonly duration: Histogram<"family">;
  readonly foreignChanges: Counter<"family">;
  readonly deletedFlows: Counter<"family">;
  readonly endedConnections: Counter<"family">;
  readonly conntrackFailures: Counter<"family">;
  readonly refused: Gauge<"family">;
}

export function createDataplaneMetrics(registry: Registry): DataplaneMetrics {
  const registers = [registry];
  return {
    transactions: new Counter({
      name: "bellhop_nft_transactions_total",
      help: "Transactions that nftables accepted. The kind is whole (the table was replaced) or delta.",
      labelNames: ["family", "kind"],
      registers,
    }),
    failures: new Counter({
      name: "bellhop_nft_failures_total",
      help: "Transactions that nftables refused, or whose outcome is unknown.",
      labelNames: ["family"],
      registers,
    }),
    duration: new Histogram({
      name: "bellhop_nft_transaction_seconds",
      help: "Time that nftables took for a transaction.",
      labelNames: ["family"],
      buckets: [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
      registers,
    }),
    foreignChanges: new Counter({
      name: "bellhop_nft_foreign_changes_total",
      help: "Times that another program had changed a table of Bellhop. The table is then replaced.",
      labelNames: ["family"],
      registers,
    }),
    deletedFlows: new Counter({
      name: "bellhop_conntrack_deleted_total",
      help: "UDP flows that were deleted because they led to a deleted pod, or bypassed the rules.",
      labelNames: ["family"],
      registers,
    }),
    endedConnections: new Counter({
      name: "bellhop_conntrack_ended_total",
      help: "Connections and UDP flows that were deleted because their pod's node had died.",
      labelNames: ["family"],
      registers,
    }),
    conntrackFailures: new Counter({
      name: "bellhop_conntrack_failures_total",
      help: "Failed searches for connections and UDP flows to delete.",
      labelNames: ["family"],
      registers,
    }),
    refused: new Gauge({
      name: "bellhop_nft_refused_services",
      help: "Services whose rules nftables refuses. All others are written.",
      labelNames: ["family"],
      registers,
    }),
  };
}
