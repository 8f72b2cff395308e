import type { CandidateInput } from "../owners/candidates.ts";
import type { ClusterState } from "./cluster-state.ts";
import type { Watched } from "./sources.ts";

/** What owners are chosen from at this moment. `live`: names of the nodes whose speaker is alive. */
export function candidateInputOf(watched: Watched, state: ClusterState, live: ReadonlySet<string>): CandidateInput {
  return {
    speakers: [...watched.speakers.views.values()],
    nodes: watched.nodes.views,
    live,
    advertisements: [...watched.advertisements.views.values()],
    poolLabels: new Map(state.currentAllocations().pools.map((pool) => [pool.name, pool.labels])),
  };
}
