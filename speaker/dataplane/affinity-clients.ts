import type { Data } from "../../src/nft/data.ts";
import { lengthOf } from "../../src/nft/data-type.ts";
import type { NftElement } from "../../src/nft/set.ts";
import type { NftAction, NftCommand, NftIpFamily } from "../../src/nft/transaction.ts";
import { type AffinityPort, type Element, nftKey, type SetName } from "./element.ts";
import { elementId, rawElementId } from "./element-id.ts";
import type { ChangedElements, IdentifiedElement, KeptElement } from "./kept-element.ts";
import { affinityClients, learnedClients } from "./sets.ts";
import { inTable } from "./tables.ts";

/**
 * A client that expires within this time is not deleted: it may be gone before the transaction, which would then be refused as a whole. Its next
 * packet deletes it.
 */
const aboutToExpireMs = 1_000;

/** Bytes of an address, and of the address, protocol and port of a Service. */
const lengths = { ip: lengthsOf("ip"), ip6: lengthsOf("ip6") } as const;

function lengthsOf(family: NftIpFamily): { readonly address: number; readonly service: number } {
  const { key } = affinityClients[family];
  return { address: lengthOf(key.slice(0, 1)), service: lengthOf(key.slice(1)) };
}

/** What packets have left in the table about clients with session affinity. */
export interface KnownClients {
  /** The elements of `affinity_clients`. */
  readonly clients: readonly NftElement[];
  /** Those of `learned_clients`. */
  readonly learned: readonly NftElement[];
}

export const noClients: KnownClients = { clients: [], learned: [] };

/**
 * Writes clients with session affinity into a new table; those whose endpoint is gone are left out, and so are those of other ports that were
 * learned. `has`: whether an element is in it. `elements`: those of `portSets` and `endpointSets`.
 */
export function keepClients(
  family: NftIpFamily,
  known: KnownClients,
  has: (id: string) => boolean,
  elements: Iterable<Element>,
): readonly NftCommand[] {
  const kept = known.clients.filter((client) => has(endpointIdOf(family, client)));
  const learned = known.learned.filter(({ key }) =>
    has(rawElementId(family, "affinity_services", portOf(family, key))),
  );
  const clients = [...kept, ...adoptedClients(family, { clients: kept, learned }, elements)];
  const additions = [
    { set: affinityClients[family], elements: clients },
    { set: learnedClients[family], elements: learned },
  ].filter(({ elements }) => elements.length > 0);
  // No chain of the table needs the set of those that were learned while all its ports go straight to pods.
  return inTable(
    family,
    additions.flatMap(({ set, elements }): readonly NftAction[] => [
      { kind: "addSet", set },
      { kind: "addElements", set, elements },
    ]),
  );
}

const endpointSets: ReadonlySet<SetName> = new Set<SetName>(["affinity_endpoints"]);
const portSets: ReadonlySet<SetName> = new Set<SetName>(["affinity_services"]);

/** What the adoption of clients reads. */
export const affinitySets: ReadonlySet<SetName> = new Set([...endpointSets, ...portSets]);

/** Whether endpoints of ports with session affinity are gone after a change. */
export function removesEndpoints(removed: ChangedElements, added: ChangedElements): boolean {
  for (const element of removed.of(endpointSets)) if (!added.has(elementId(element))) return true;
  return false;
}

/**
 * Whether `changeClients` has something to do for an owner that had these elements: it loses an endpoint, or a port is taken over from kube-proxy.
 * `now`: what is at an id.
 */
export function needsClients(
  before: readonly IdentifiedElement[],
  now: (id: string) => KeptElement | undefined,
): boolean {
  return before.some(({ id, kept }) => {
    if (typeof kept === "string") return false;
    if (kept.set === "affinity_endpoints") return now(id) === undefined;
    return chooserOf(kept) === "kube-proxy" && chooserOf(now(id)) === "us";
  });
}

function chooserOf(element: Element | KeptElement | undefined): AffinityPort["chosenBy"] | undefined {
  return typeof element === "object" && element.set === "affinity_services" ? element.value.chosenBy : undefined;
}

/** The keys of the ports with session affinity that a change takes over from kube-proxy. */
export function takenOver(removed: ChangedElements, added: ChangedElements): ReadonlySet<Data> {
  const before = portsOf(removed, "kube-proxy");
  return new Set(before.size === 0 ? [] : [...portsOf(added, "us")].filter((port) => before.has(port)));
}

function portsOf(elements: ChangedElements, chosenBy: AffinityPort["chosenBy"]): ReadonlySet<Data> {
  const ports = new Set<Data>();
  for (const element of elements.of(portSets)) if (chooserOf(element) === chosenBy) ports.add(nftKey(element).key);
  return ports;
}

/**
 * What a change means for the clients: those whose endpoints it removes are deleted, so that no packet is lost for finding that out, and those of
 * ports that it takes over from kube-proxy (`taken`) get the endpoints that kube-proxy gave them. A client that such a port has already is left of an
 * earlier time, and kube-proxy may have chosen another endpoint since.
 */
export function changeClients(
  family: NftIpFamily,
  { clients, learned }: KnownClients,
  removed: ChangedElements,
  added: ChangedElements,
  taken: ReadonlySet<Data>,
): { readonly before: readonly NftCommand[]; readonly after: readonly NftCommand[] } {
  const set = affinityClients[family];
  const deleted: NftElement[] = [];
  const kept: NftElement[] = [];
  for (const client of clients) {
    const id = endpointIdOf(family, client);
    const obsolete = (removed.has(id) && !added.has(id)) || taken.has(portOf(family, client.key));
    if (obsolete && (client.timeoutMs ?? Infinity) > aboutToExpireMs) deleted.push({ key: client.key });
    else kept.push(client);
  }
  const ofTaken = learned.filter(({ key }) => taken.has(portOf(family, key)));
  const adopted = adoptedClients(family, { clients: kept, learned: ofTaken }, added.of(affinitySets));
  return {
    before: deleted.length === 0 ? [] : inTable(family, [{ kind: "deleteElements", set, elements: deleted }]),
    after: adopted.length === 0 ? [] : inTable(family, [{ kind: "addElements", set, elements: adopted }]),
  };
}

/**
 * The clients that were learned, each with the endpoint that it had last, as far as that is one of these; without those that are known already, and
 * no more than the map takes. An endpoint is learned without its port, so it has the first one here. One that has more time left than the Service gives
 * is from before that was shortened, and older than any other.
 */
function adoptedClients(
  family: NftIpFamily,
  { clients, learned }: KnownClients,
  elements: Iterable<Element>,
): readonly NftElement[] {
  if (learned.length === 0) return [];
  const { address, service } = lengths[family];
  const choices = new Map<Data, Data>();
  const limits = new Map<Data, number>();
  for (const element of elements) {
    const { key } = nftKey(element);
    if (element.set === "affinity_services") limits.set(key, element.value.timeoutSeconds * 1000);
    if (element.set !== "affinity_endpoints") continue;
    const choice = key.slice(0, service + address);
    if (!choices.has(choice)) choices.set(choice, key.slice(service));
  }
  const latest = new Map<Data, { readonly rank: number; readonly client: NftElement }>();
  for (const { key: chosen, timeoutMs: leftMs = Infinity } of learned) {
    const data = choices.get(chosen.slice(address));
    const limitMs = limits.get(portOf(family, chosen));
    if (data === undefined || limitMs === undefined) continue;
    const key = chosen.slice(0, address + service);
    const rank = leftMs > limitMs ? 0 : leftMs;
    const timeoutMs = Math.min(leftMs, limitMs);
    if (rank > (latest.get(key)?.rank ?? -1)) latest.set(key, { rank, client: { key, data, timeoutMs } });
  }
  for (const { key } of clients) latest.delete(key);
  const room = (affinityClients[family].size ?? 0) - clients.length;
  return Array.from(latest.values(), ({ client }) => client).slice(0, Math.max(0, room));
}

/** The element that says that its endpoint is one of the port: its key is that of the client without the client's address, and the endpoint. */
function endpointIdOf(family: NftIpFamily, { key, data }: NftElement): string {
  const { address } = lengths[family];
  return rawElementId(family, "affinity_endpoints", key.slice(address) + (typeof data === "string" ? data : ""));
}

/** The port of a client's key, which begins with the client's address. */
function portOf(family: NftIpFamily, key: Data): Data {
  const { address, service } = lengths[family];
  return key.slice(address, address + service);
}
