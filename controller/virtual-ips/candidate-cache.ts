import { statusOwnersFeature } from "../../src/api/speaker.ts";
import type { ClusterState } from "../observe/cluster-state.ts";
import { describeAnnouncerNodes } from "../owners/announcer-node.ts";
import { type CandidateLookup, createCandidateLookup } from "../owners/candidates.ts";

/** Names of the nodes whose speaker is alive, and of those of them that are cut off from the API server. */
interface LiveSpeakers {
  readonly live: ReadonlySet<string>;
  readonly cutOff: ReadonlySet<string>;
}

/** Who may announce which address. Computed again only after `invalidate`. */
export class CandidateCache {
  readonly #state: ClusterState;
  readonly #speakers: LiveSpeakers;
  #candidates: CandidateLookup | undefined;
  #someReadSpecOnly: boolean | undefined;

  constructor(state: ClusterState, speakers: LiveSpeakers) {
    this.#state = state;
    this.#speakers = speakers;
  }

  current(): CandidateLookup {
    this.#candidates ??= createCandidateLookup(this.#state.candidateInput(this.#speakers.live));
    return this.#candidates;
  }

  /** Call it when nodes, speakers, pools or advertisements have changed. */
  invalidate(): void {
    this.#candidates = undefined;
    this.#someReadSpecOnly = undefined;
  }

  /** Whether a speaker is alive that reads the owners of reservations from their spec alone: one of an earlier version. */
  get someReadSpecOnly(): boolean {
    this.#someReadSpecOnly ??= this.#state.someSpeakerLacks(statusOwnersFeature, this.#speakers.live);
    return this.#someReadSpecOnly;
  }

  /** Nodes that may announce and do not learn of changes. They keep their addresses and get no others. */
  get cutOff(): ReadonlySet<string> {
    return this.#speakers.cutOff;
  }

  /** Which nodes may announce on which subnets, as text: equal texts mean equal nodes and subnets. */
  describeNodes(): string {
    return describeAnnouncerNodes(this.#state.candidateInput(this.#speakers.live));
  }
}
