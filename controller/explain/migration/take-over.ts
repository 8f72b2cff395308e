import { formatAddress } from "../../../src/ip/address.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { allocate } from "../../allocate/allocate.ts";
import type { AddressAllocations } from "../../allocate/allocations/address-allocations.ts";
import type { Allocation } from "../../allocate/choose/allocation.ts";
import { plannedClaim } from "../../allocate/claim/planned-claim.ts";
import { withService } from "../../allocate/claim/sharing.ts";

/** A Service that waits for an address may get it only after another Service has moved away. */
const maxRounds = 4;

/**
 * What each Service gets from a controller that starts: first it adopts the addresses that Services show, older Services first, and then it
 * plans each Service until nothing changes. `services`: those that are Bellhop's. Records in `allocations` what it assigns.
 */
export function takeOver(
  allocations: AddressAllocations,
  services: readonly ServiceView[],
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>>,
): ReadonlyMap<string, Allocation> {
  const planned = new Map<string, Allocation>();
  const plan = (service: ServiceView): Allocation => allocate(allocations, service, namespaceLabels(service.namespace));
  const showing = services.filter((service) => service.ingress.length > 0);
  for (const service of showing.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1))) {
    const shown = new Set(service.ingress.map(({ ip }) => ip));
    const { assignments } = plan(service);
    record(
      allocations,
      service,
      assignments.filter(({ address }) => shown.has(formatAddress(address))),
    );
  }
  for (let round = 0; round < maxRounds; round++) {
    const before = describe(planned);
    for (const service of services) {
      const allocation = plan(service);
      planned.set(service.key, allocation);
      record(allocations, service, allocation.assignments);
      if (allocation.assignments.length === 0) continue;
      const addresses = allocation.assignments.map(({ address }) => address);
      allocations.show(service.key, { addresses, deleting: false });
    }
    if (describe(planned) === before) break;
  }
  return planned;
}

/** As ClaimWriter would write them. */
function record(allocations: AddressAllocations, service: ServiceView, assignments: Allocation["assignments"]): void {
  for (const { claim, needsJoin, ...planned } of assignments) {
    if (claim === undefined || claim.uid === "")
      allocations.put(plannedClaim(allocations.claimAt(planned.address), service, planned));
    else if (needsJoin) allocations.put({ ...claim, services: withService(claim, service) });
  }
}

function describe(planned: ReadonlyMap<string, Allocation>): string {
  return [...planned]
    .map(([key, { assignments }]) => `${key} ${assignments.map(({ address }) => formatAddress(address)).join()}`)
    .join("\n");
}
