import { timeText } from "../../src/clock/time-text.ts";
import { type PoolsQuestion, poolsAfter } from "../explain/pools/plan.ts";
import type { PoolManifest } from "../explain/pools/manifest.ts";
import { createWorld, type ReadOptions, readCluster } from "./read-cluster.ts";

/** Reads the cluster, and makes of it the one that it would be with the pools of the manifests applied. Writes nothing. */
export async function readPoolsQuestion(
  options: ReadOptions,
  manifests: readonly PoolManifest[],
): Promise<PoolsQuestion> {
  const { watched, invalidPools, world } = await readCluster(options);
  const present = watched.pools.views;
  const views = poolsAfter(present, manifests, timeText(options.clock.wallMs()));
  const kept = invalidPools.filter(({ name }) => !views.has(name));
  const after = createWorld({ ...watched, pools: { views } }, kept, options.clock);
  const before = world.currentBook();
  return { manifests, present, claims: before.claims.values(), before, after: after.currentBook() };
}
