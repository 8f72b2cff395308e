import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import { fieldText } from "../../src/model/reason.ts";
import type { ServiceView } from "../../src/model/service.ts";
import type { AllocationsReader } from "../allocate/allocations/address-allocations.ts";
import type { Claim } from "../allocate/claim/claim.ts";
import { serviceAnnotation } from "../allocate/claim/service-annotations.ts";
import { findSharingConflict } from "../allocate/claim/sharing.ts";

/** The text of the event for changed addresses, worded like that of the service controller. Undefined: none was shown, or all stay. */
export function updateMessage(
  service: ServiceView,
  after: readonly { readonly address: IpAddress }[],
): string | undefined {
  const before = service.ingress.map(({ ip }) => ip).join(", ");
  const now = addressTexts(after);
  return before === "" || before === now ? undefined : `Updated load balancer [${before}] -> [${now}]`;
}

/** Why addresses were released, as sentences to append, where the Service itself does not show that: no address moves without a reason. */
export function describeMoveCause(
  allocations: AllocationsReader,
  service: ServiceView,
  released: readonly Claim[],
): string {
  const causes = released.flatMap(
    (claim) =>
      (claim.usedBefore === true ? claim.conflict : undefined) ??
      findSharingConflict(claim, service)?.detail ??
      describeNamedPoolMismatch(allocations, service, claim) ??
      [],
  );
  return causes.length === 0 ? "" : `. ${[...new Set(causes)].map((cause) => cause.replace(/\.$/, "")).join(". ")}.`;
}

/** Pools may have been edited: the address is in another pool then, although the Service requests the same pool as before. */
function describeNamedPoolMismatch(
  allocations: AllocationsReader,
  service: ServiceView,
  { address, pool }: Claim,
): string | undefined {
  const annotation = serviceAnnotation(service, "pool");
  const present = allocations.poolOf(address)?.name ?? pool;
  if (annotation === undefined || present === undefined || present === annotation.text) return undefined;
  return `${formatAddress(address)} is in pool ${present}, and the Service names pool ${annotation.text} (${fieldText(annotation.field)})`;
}

/** Addresses as events name them. */
export function addressTexts(items: readonly { readonly address: IpAddress }[]): string {
  return items.map(({ address }) => formatAddress(address)).join(", ");
}
