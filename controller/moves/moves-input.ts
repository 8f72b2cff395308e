import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { type ReadOptions, readCluster } from "../collect/read-cluster.ts";
import type { CandidateInput } from "../owners/announcer-node.ts";

/** What decides where addresses may move: the cluster at one moment. */
export interface MovesInput {
  readonly claims: ReadonlyMap<string, Claim>;
  readonly virtualIps: ReadonlyMap<string, VirtualIP>;
  readonly candidates: CandidateInput;
  /** Nodes with ready endpoints of those of the Services with externalTrafficPolicy Local. Undefined: all are Cluster. */
  readonly localNodes: (services: Claim["services"]) => ReadonlySet<string> | undefined;
  /** Identity of the controller that leads. Undefined: none does. */
  readonly leader: string | undefined;
  /** Bellhop's own namespace. */
  readonly namespace: string;
}

/** Reads the cluster once. Writes nothing. */
export async function readMovesInput(options: ReadOptions): Promise<MovesInput> {
  const { watched, clusterState, live, leader } = await readCluster({ ...options, readyNodes: true });
  return {
    claims: clusterState.currentAllocations().claims,
    virtualIps: watched.virtualIps.views,
    candidates: clusterState.candidateInput(live),
    localNodes: (services) => clusterState.services.localNodes(services),
    leader,
    namespace: options.namespace,
  };
}
