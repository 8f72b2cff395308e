import type { ApiClient } from "../../src/kube/client.ts";
import { collections } from "../../src/kube/path.ts";

/** How long a speaker's lease lasts, and how often it is renewed. */
export interface LeaseTiming {
  readonly leaseSeconds: number;
  readonly renewMs: number;
}

/** Between renewals: of a node that no other speaker hears, and of one that others hear. */
const shortestRenewMs = { unheard: 2_000, heard: 5_000 };
/** The kubelet's (nodeStatusUpdateFrequency and the renew interval of its Lease, a quarter of nodeLeaseDurationSeconds). */
const longestRenewMs = 10_000;
/** Writes to leases by all speakers together, until each renews as rarely as the kubelet. */
const writesPerSecond = 100;
/** A lease outlives a failed renewal by at least this long, which leaves time for an attempt each second. */
const graceMs = 4_000;
/** A lease that is not urgent lasts this many renewals, as the kubelet's. */
const renewalsPerLease = 4;

/**
 * `heard`: other speakers hear the heartbeats of this one, and take over when they end. Its lease only repeats slowly what they know: it lasts
 * 20 s and is renewed every 5 s. Of a node that is not heard, the lease alone says that it is alive, and decides how long it takes until another node takes
 * over: 6 s, renewed every 2 s. In large clusters renewals become rarer, so that speakers together write no more leases than 100 a second,
 * or than the kubelets do: from 1,000 nodes on every 10 s.
 */
export function leaseTimingFor(nodes: number, heard: boolean): LeaseTiming {
  const shortest = heard ? shortestRenewMs.heard : shortestRenewMs.unheard;
  const renewMs = Math.min(longestRenewMs, Math.max(shortest, (nodes / writesPerSecond) * 1_000));
  const leaseMs = heard ? renewalsPerLease * renewMs : renewMs + Math.max(graceMs, renewMs);
  return { leaseSeconds: Math.ceil(leaseMs / 1_000), renewMs };
}

/** How many nodes the cluster has. Reads one of them: the API server adds how many more there are. Throws what the API server answers. */
export async function countNodes(client: ApiClient, timeoutMs: number): Promise<number> {
  const { body } = await client.request({ method: "GET", path: collections.nodes, query: { limit: "1" }, timeoutMs });
  const { items = [], metadata } = body as { items?: unknown[]; metadata?: { remainingItemCount?: number } };
  return items.length + (metadata?.remainingItemCount ?? 0);
}
