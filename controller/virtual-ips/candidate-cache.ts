import { candidateInputOf } from "../observe/candidate-input.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import type { Watched } from "../observe/sources.ts";
import { type CandidatesOf, createCandidates, describeAnnouncerNodes } from "../owners/candidates.ts";

/** Who may announce what, worked out again only after something that it depends on has changed. */
export class CandidateCache {
  readonly #watched: Watched;
  readonly #state: ClusterState;
  readonly #speakers: { readonly live: ReadonlySet<string> };
  #candidates: CandidatesOf | undefined;

  constructor(watched: Watched, state: ClusterState, speakers: { readonly live: ReadonlySet<string> }) {
    this.#watched = watched;
    this.#state = state;
    this.#speakers = speakers;
  }

  current(): CandidatesOf {
    this.#candidates ??= createCandidates(this.#input());
    return this.#candidates;
  }

  /** Nodes, speakers, pools or advertisements have changed. */
  invalidate(): void {
    this.#candidates = undefined;
  }

  /** Which nodes may announce on which subnets, as text: equal texts mean equal nodes. */
  describeNodes(): string {
    return describeAnnouncerNodes(this.#input());
  }

  #input() {
    return candidateInputOf(this.#watched, this.#state, this.#speakers.live);
  }
}
