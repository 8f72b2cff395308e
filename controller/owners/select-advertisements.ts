import type { L2Advertisement } from "../../src/api/l2-advertisement.ts";
import type { ServiceReference } from "../../src/api/virtual-ip.ts";
import type { IpAddress } from "../../src/ip/address.ts";
import { matchesAnySelector } from "../../src/model/label-selector.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { CandidateInput } from "./announcer-node.ts";

/** An address, as far as advertisements select it. */
export interface AdvertisedAddress {
  readonly address: IpAddress;
  readonly pool: string | undefined;
  /** The Services that have it. */
  readonly services: readonly Pick<ServiceReference, "namespace" | "name">[];
}

/** Whether nothing restricts announcements, so that every node may announce from every interface on the LAN of an address. */
export function isUnrestricted({ advertisements, refusedAdvertisements }: CandidateInput): boolean {
  return advertisements.length + refusedAdvertisements.length === 0;
}

/** The advertisements that select the pool, whatever Services they select. One that names no pool selects all, and addresses without a pool. */
export function advertisementsForPool(pool: string | undefined, input: CandidateInput): readonly L2Advertisement[] {
  return input.advertisements.filter(({ spec: { ipAddressPools = [], ipAddressPoolSelectors = [] } }) => {
    if (ipAddressPools.length + ipAddressPoolSelectors.length === 0) return true;
    if (pool === undefined) return false;
    return (
      ipAddressPools.includes(pool) || matchesAnySelector(ipAddressPoolSelectors, input.poolLabels.get(pool) ?? {})
    );
  });
}

/** Of these advertisements, the ones that select at least one of the Services. The same array if none of them selects Services. */
export function advertisementsForServices(
  advertisements: readonly L2Advertisement[],
  services: AdvertisedAddress["services"],
  { serviceLabels }: CandidateInput,
): readonly L2Advertisement[] {
  if (!advertisements.some(selectsServices)) return advertisements;
  const labels = services.map((service) => serviceLabels(serviceKeyOf(service))).filter((own) => own !== undefined);
  return advertisements.filter(
    (advertisement) =>
      !selectsServices(advertisement) ||
      labels.some((own) => matchesAnySelector(advertisement.spec.serviceSelectors ?? [], own)),
  );
}

function selectsServices({ spec: { serviceSelectors = [] } }: L2Advertisement): boolean {
  return serviceSelectors.length > 0;
}
