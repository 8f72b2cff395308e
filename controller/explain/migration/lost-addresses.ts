import { formatAddress, type IpAddress, parseAddress } from "../../../src/ip/address.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AllocationsReader } from "../../allocate/allocations/address-allocations.ts";
import { findJoiningConflict } from "../../allocate/claim/sharing.ts";

/**
 * Why the Service does not keep addresses that it shows, one sentence for each. None for an address that it gives up because it requests
 * another one. `then`: what it would show. Call it after the takeover: Services that were there first have claimed their addresses.
 */
export function explainLost(
  allocations: AllocationsReader,
  service: ServiceView,
  then: readonly string[],
): readonly string[] {
  return service.ingress
    .flatMap(({ ip }) => parseAddress(ip) ?? [])
    .filter((address) => !then.includes(formatAddress(address)))
    .flatMap((address) => reasonOfLoss(allocations, service, address) ?? []);
}

function reasonOfLoss(allocations: AllocationsReader, service: ServiceView, address: IpAddress): string | undefined {
  const blocked = allocations.blockedBy(address, service);
  if (blocked !== undefined) return blocked;
  if (allocations.poolOf(address) === undefined) return `${formatAddress(address)} is not in any usable IPAddressPool.`;
  const claim = allocations.claimAt(address);
  return claim === undefined ? undefined : findJoiningConflict(claim, service, true)?.detail;
}
