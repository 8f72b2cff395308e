import { formatAddress } from "../../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { type CandidateInput, selectsNode } from "../../owners/announcer-node.ts";
import { createCandidateLookup } from "../../owners/candidates.ts";
import { describeNoAnnouncer } from "../../owners/describe-no-announcer.ts";
import { evaluateNodes } from "../../owners/evaluate-nodes.ts";
import {
  type AdvertisedAddress,
  advertisementsForPool,
  advertisementsForServices,
  isUnrestricted,
} from "../../owners/select-advertisements.ts";

/** Which nodes would announce an address, as far as that is known. */
export interface Announcers {
  /** Whether a speaker runs: only speakers know the interfaces of their nodes. */
  readonly interfacesKnown: boolean;
  nodesFor(advertised: AdvertisedAddress): readonly string[];
  /** Why no node would announce the address of this Service. Undefined: some node would, or may once the speakers run. */
  refusalFor(service: ServiceView, advertised: AdvertisedAddress): Reason | undefined;
}

/** Without a speaker, nodes are chosen by the labels of Nodes and Services alone, so that L2Advertisements can be checked beforehand. */
export function createAnnouncers(input: CandidateInput, bgpOnly: ReadonlySet<string>): Announcers {
  const interfacesKnown = [...input.speakers].some(({ metadata }) => input.live.has(metadata.name));
  const lookUp = createCandidateLookup(input);
  const nodesFor = (advertised: AdvertisedAddress): readonly string[] =>
    interfacesKnown ? lookUp(advertised).nodes : nodesByLabels(input, advertised);
  return {
    interfacesKnown,
    nodesFor,
    refusalFor: (service, advertised) => {
      const { address, pool } = advertised;
      const refuse = (detail: string): Reason => {
        const about = { object: serviceObject(service), field: "status.loadBalancer.ingress" };
        return reasonOf("NoAnnouncer", { ...about, value: formatAddress(address), detail });
      };
      if (pool !== undefined && bgpOnly.has(pool))
        return refuse(`MetalLB announces pool ${pool} by BGP alone, and Bellhop announces on the LAN only.`);
      if (nodesFor(advertised).length > 0) return undefined;
      if (interfacesKnown) return refuse(describeNoAnnouncer(evaluateNodes(input, advertised)));
      return refuse(`No L2Advertisement allows pool ${pool ?? "(none)"} for this Service on any node.`);
    },
  };
}

function nodesByLabels(input: CandidateInput, { pool, services }: AdvertisedAddress): readonly string[] {
  const nodes = [...input.nodes.values()].filter(({ excluded }) => !excluded);
  const selected = advertisementsForServices(advertisementsForPool(pool, input), services, input);
  return nodes
    .filter((node) => isUnrestricted(input) || selected.some(({ spec }) => selectsNode(spec, node)))
    .map(({ name }) => name)
    .sort();
}
