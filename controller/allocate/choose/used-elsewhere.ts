import { formatAddress, type IpAddress } from "../../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AllocationsReader } from "../allocations/address-allocations.ts";
import type { Assignment } from "./allocation.ts";

/** What else uses the assigned addresses of a Service. The Service keeps them. Pure. */
export function findConflicts(
  allocations: AllocationsReader,
  service: ServiceView,
  assignments: readonly Assignment[],
): readonly Reason[] {
  return assignments.flatMap(({ address, node, claim }): readonly Reason[] => {
    // Nodes have their own addresses on interfaces.
    if (node !== undefined) return [];
    const elsewhere = usedElsewhere(allocations, service, address);
    return [
      ...(claim?.conflict === undefined ? [] : [conflictWith(service, address, claim.conflict)]),
      ...(elsewhere === undefined ? [] : [elsewhere]),
    ];
  });
}

/** The reason if something in the cluster uses the address of the Service, too: a node, or spec.externalIPs of another Service. */
export function usedElsewhere(
  allocations: Pick<AllocationsReader, "blockedBy">,
  service: ServiceView,
  address: IpAddress,
): Reason | undefined {
  const detail = allocations.blockedBy(address, service);
  return detail === undefined ? undefined : reasonOf("AddressUsedElsewhere", { ...subject(service, address), detail });
}

/** The reason if another device had one of the addresses before it was announced, so that no node announces it. */
export function findUsedBefore(service: ServiceView, assignments: readonly Assignment[]): Reason | undefined {
  const found = assignments.find(({ claim }) => claim?.usedBefore === true);
  return found?.claim?.conflict === undefined ? undefined : conflictWith(service, found.address, found.claim.conflict);
}

function conflictWith(service: ServiceView, address: IpAddress, detail: string): Reason {
  return reasonOf("AddressConflict", { ...subject(service, address), detail });
}

function subject(service: ServiceView, address: IpAddress) {
  return { object: serviceObject(service), field: "status.loadBalancer.ingress", value: formatAddress(address) };
}
