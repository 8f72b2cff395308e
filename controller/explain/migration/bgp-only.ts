import type { LabelSelector } from "../../../src/api/api.ts";
import { matchesAnySelector } from "../../../src/model/label-selector.ts";
import type { CandidateInput } from "../../owners/announcer-node.ts";
import { advertisementsForPool } from "../../owners/select-advertisements.ts";

/** Which pools a BGPAdvertisement of MetalLB selects. Without both fields: every pool. */
export interface BgpAdvertisement {
  readonly ipAddressPools: readonly string[];
  readonly ipAddressPoolSelectors: readonly LabelSelector[];
}

/** The pools of MetalLB that it announces by BGP and not by layer 2. `pools`: names of MetalLB's pools. */
export function findBgpOnly(
  pools: Iterable<string>,
  bgp: readonly BgpAdvertisement[],
  input: CandidateInput,
): ReadonlySet<string> {
  const byBgp = (pool: string): boolean =>
    bgp.some(({ ipAddressPools, ipAddressPoolSelectors }) => {
      if (ipAddressPools.length + ipAddressPoolSelectors.length === 0) return true;
      return (
        ipAddressPools.includes(pool) || matchesAnySelector(ipAddressPoolSelectors, input.poolLabels.get(pool) ?? {})
      );
    });
  return new Set([...pools].filter((pool) => byBgp(pool) && advertisementsForPool(pool, input).length === 0));
}
