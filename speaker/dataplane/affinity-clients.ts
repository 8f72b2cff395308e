import { lengthOf } from "../../src/nft/data-type.ts";
import type { NftElement } from "../../src/nft/set.ts";
import type { NftCommand, NftIpFamily } from "../../src/nft/transaction.ts";
import type { SetName } from "./element.ts";
import { elementId, rawElementId } from "./element-id.ts";
import type { ChangedElements } from "./kept-element.ts";
import { affinityClients } from "./sets.ts";
import { inTable } from "./tables.ts";

/**
 * A client that expires within this time is not deleted: it may be gone before the transaction, which would then be refused as a whole. Its next
 * packet deletes it.
 */
const aboutToExpireMs = 1_000;

/** Writes clients with session affinity into a new table; those whose endpoint is gone are left out. `has`: whether an element is in it. */
export function keepClients(
  family: NftIpFamily,
  clients: readonly NftElement[],
  has: (id: string) => boolean,
): readonly NftCommand[] {
  const elements = clients.filter((client) => has(endpointIdOf(family, client)));
  return elements.length === 0
    ? []
    : inTable(family, [{ kind: "addElements", set: affinityClients[family], elements }]);
}

const endpointSets: ReadonlySet<SetName> = new Set<SetName>(["affinity_endpoints"]);

/** Whether endpoints of ports with session affinity are gone after a change. */
export function removesEndpoints(removed: ChangedElements, added: ChangedElements): boolean {
  for (const element of removed.of(endpointSets)) if (!added.has(elementId(element))) return true;
  return false;
}

/** Deletes the clients whose endpoints a change removes, so that no packet is lost for finding that out. */
export function deleteClients(
  family: NftIpFamily,
  clients: readonly NftElement[],
  removed: ChangedElements,
  added: ChangedElements,
): readonly NftCommand[] {
  const elements: NftElement[] = [];
  for (const client of clients) {
    const id = endpointIdOf(family, client);
    if (!removed.has(id) || added.has(id) || (client.timeoutMs ?? Infinity) <= aboutToExpireMs) continue;
    elements.push({ key: client.key });
  }
  return elements.length === 0
    ? []
    : inTable(family, [{ kind: "deleteElements", set: affinityClients[family], elements }]);
}

/** The element that says that its endpoint is one of the port: its key is that of the client without the client's address, and the endpoint. */
function endpointIdOf(family: NftIpFamily, { key, data }: NftElement): string {
  const addressLength = lengthOf(affinityClients[family].key.slice(0, 1));
  return rawElementId(family, "affinity_endpoints", key.slice(addressLength) + (typeof data === "string" ? data : ""));
}
