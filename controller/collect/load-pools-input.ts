import { timeText } from "../../src/api/api.ts";
import type { PoolManifest } from "../explain/pools/manifest.ts";
import { type PoolsInput, poolsAfter } from "../explain/pools/plan.ts";
import { createClusterState, type ReadOptions, readCluster } from "./read-cluster.ts";

/** Reads the cluster, and makes of it the one that it would be with the pools of the manifests applied. Writes nothing. */
export async function loadPoolsInput(options: ReadOptions, manifests: readonly PoolManifest[]): Promise<PoolsInput> {
  const { watched, invalidPools, clusterState } = await readCluster(options);
  const present = watched.pools.views;
  const views = poolsAfter(present, manifests, timeText(options.clock.wallMs()));
  const kept = invalidPools.filter(({ name }) => !views.has(name));
  const after = createClusterState({ ...watched, pools: { views } }, kept, options.clock);
  const before = clusterState.currentAllocations();
  return { manifests, present, claims: before.claims.values(), before, after: after.currentAllocations() };
}
