import type { ApiClient } from "../../src/kube/client.ts";
import { collections } from "../../src/kube/path.ts";

/** How long a speaker's lease lasts, and how often it is renewed. */
export interface LeaseTiming {
  readonly leaseSeconds: number;
  readonly renewMs: number;
}

const shortestRenewMs = 2_000;
/** The kubelet's (nodeStatusUpdateFrequency and the renew interval of its Lease, a quarter of nodeLeaseDurationSeconds). */
const longestRenewMs = 10_000;
/** Writes to leases by all speakers together, until each renews as rarely as the kubelet. */
const writesPerSecond = 100;
/** A lease outlives a failed renewal by at least this long, which leaves time for an attempt each second. */
const graceMs = 4_000;

/**
 * Up to 200 nodes a lease lasts 6 s and is renewed every 2 s. Beyond that, renewals become rarer, so that speakers together write no more
 * leases than 100 a second, or than the kubelets do. From 1,000 nodes on a lease lasts 20 s and is renewed every 10 s. That is also how
 * long it takes until another node takes over.
 */
export function leaseTimingFor(nodes: number): LeaseTiming {
  const renewMs = Math.min(longestRenewMs, Math.max(shortestRenewMs, (nodes / writesPerSecond) * 1_000));
  return { leaseSeconds: Math.ceil((renewMs + Math.max(graceMs, renewMs)) / 1_000), renewMs };
}

/** How many nodes the cluster has. Reads one of them: the API server adds how many more there are. Throws what the API server answers. */
export async function countNodes(client: ApiClient, timeoutMs: number): Promise<number> {
  const { body } = await client.request({ method: "GET", path: collections.nodes, query: { limit: "1" }, timeoutMs });
  const { items = [], metadata } = body as { items?: unknown[]; metadata?: { remainingItemCount?: number } };
  return items.length + (metadata?.remainingItemCount ?? 0);
}
