import { nodeAnnotation } from "../../src/api/labels.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { sameTexts } from "../../src/placement/owner-assignment.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import type { CandidateLookup, Candidates } from "../owners/candidates.ts";
import { preferredNodes } from "../owners/preferred-nodes.ts";

export interface OwnerInputsOptions {
  readonly allocations: { readonly claims: ReadonlyMap<string, Claim> };
  readonly virtualIps: { readonly views: ReadonlyMap<string, VirtualIP> };
  readonly candidates: {
    current(): CandidateLookup;
    /** Whether a speaker is alive that reads the owners of reservations from their spec alone. */
    readonly someReadSpecOnly: boolean;
    /** Nodes that do not learn of changes. They keep their addresses and get no others. */
    readonly cutOff: ReadonlySet<string>;
  };
  /** Nodes with ready endpoints of the Services of a claim. Undefined: any node will do. */
  readonly services: { localNodes(services: Claim["services"]): ReadonlySet<string> | undefined };
  /** From how many nodes the waiting owners of one node's addresses are chosen. */
  readonly peers: number;
}

/** Every owner may announce from every interface on the LAN. */
export const noInterfaces: Candidates["interfaces"] = new Map();

/** What decides the owners of an address, as it is in the cluster at this moment. */
export class OwnerInputs {
  readonly options: OwnerInputsOptions;

  constructor(options: OwnerInputsOptions) {
    this.options = options;
  }

  /** The claim of this name. Undefined: there is none that has to be announced. */
  announced(name: string): Claim | undefined {
    const claim = this.options.allocations.claims.get(name);
    return claim !== undefined && isAnnounced(claim) ? claim : undefined;
  }

  /** The nodes that come first among the candidates. Undefined: all are equal. */
  preferredNodes({ name, services }: Claim, candidates: Candidates): ReadonlySet<string> | undefined {
    const local = this.options.services.localNodes(services);
    return preferredNodes({ ...candidates, local, pinned: this.pinned(name) });
  }

  /** The node that the user has pinned the address to. */
  pinned(name: string): string | undefined {
    return this.options.virtualIps.views.get(name)?.metadata.annotations[nodeAnnotation];
  }
}

/** Not a reservation without Services, a hold, or a node's own address. */
function isAnnounced(claim: Claim): boolean {
  return isInUse(claim) && claim.node === undefined;
}

/** Whether the claim would get the same owners: its pool is the same, and the Services whose endpoints count. */
export function sameInputs(before: Claim, after: Claim): boolean {
  return before.pool === after.pool && sameTexts(before.services.map(serviceKeyOf), after.services.map(serviceKeyOf));
}
