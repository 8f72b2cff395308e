import { type IpAddress, virtualIpName } from "../../../src/ip/address.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { Claim } from "./claim.ts";
import { referenceOf, withService } from "./sharing.ts";

/** An address that is about to be claimed. */
export interface PlannedAddress {
  readonly address: IpAddress;
  readonly pool: string | undefined;
  /** The node whose own address it is. */
  readonly node?: string | undefined;
}

/**
 * The claim by which the Service gets an address that has no VirtualIP yet. `known`: what the allocations have for the address; if it is
 * being created for other Services, this one joins them.
 */
export function plannedClaim(
  known: Claim | undefined,
  service: ServiceView,
  { address, pool, node }: PlannedAddress,
): Claim {
  return {
    name: virtualIpName(address),
    address,
    pool,
    node,
    services: known?.uid === "" ? withService(known, service) : [referenceOf(service, { node })],
    managed: true,
    uid: "",
    resourceVersion: "",
  };
}
