import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import { type Departure, describeDeparture } from "../../src/model/departure.ts";
import { describeCannotServe } from "../../src/model/host-reason.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import {
  type AnnouncerNode,
  type CandidateInput,
  createAbsenceLookup,
  createAnnouncerNode,
  evaluateAnnouncerNode,
} from "./announcer-node.ts";
import { comingFirst, type DepartingNode } from "./departing-nodes.ts";
import { describeUnready, preferServing, type ServingNode } from "./prefer-serving.ts";
import {
  type AdvertisedAddress,
  advertisementsForPool,
  advertisementsForServices,
  isUnrestricted,
} from "./select-advertisements.ts";

/** Whether one node may announce an address, and why or why not. */
export interface NodeResult {
  readonly node: string;
  readonly eligible: boolean;
  /** Why it may not, as a word. Undefined: it may. */
  readonly code: "NoSpeaker" | "OffSubnet" | "NotAllowed" | "CannotServe" | undefined;
  /** Why other nodes that may announce it come first, as a word. Undefined: it does not come last. */
  readonly departure: Departure | undefined;
  /** Why it may not, in words; with `may` the interfaces and their addresses. */
  readonly reason: string;
}

/** Evaluates every node. Those that may are the same as `createCandidateLookup` finds. Sorted by name. */
export function evaluateNodes(
  input: CandidateInput,
  { address, pool, services }: AdvertisedAddress,
): readonly NodeResult[] {
  const speakers = new Map([...input.speakers].map((speaker) => [speaker.metadata.name, speaker]));
  const ofPool = advertisementsForPool(pool, input);
  const selected = advertisementsForServices(ofPool, services, input);
  const advertisements = isUnrestricted(input) ? undefined : selected;
  const ofService = selected.length < ofPool.length ? " for a Service with these labels" : "";
  const refused = input.refusedAdvertisements.map(({ message }) => `; ${message.replace(/\.$/, "")}`).join("");
  const absence = createAbsenceLookup(input);
  const keys = services.map(serviceKeyOf);
  const results = [...new Set([...input.nodes.keys(), ...speakers.keys()])].sort().map((name): Evaluated => {
    const node = input.nodes.get(name);
    const speaker = speakers.get(name);
    const absent = absence(node, speaker);
    if (absent !== undefined || node === undefined || speaker === undefined) {
      return cannot(name, "NoSpeaker", absent ?? "");
    }
    const announcerNode = createAnnouncerNode(node, speaker);
    const { onSubnet, announcing, serves } = evaluateAnnouncerNode(announcerNode, advertisements, address);
    if (announcing.length > 0) {
      const reason = describeInterfaces(announcing);
      const about = { ...announcerNode, serves };
      const fault = serves ? describeUnready(about, address.family, keys) : describeFaults(announcing, address);
      return { node: name, eligible: true, code: undefined, departure: undefined, reason, fault, about };
    }
    if (onSubnet.length === 0) return cannot(name, "OffSubnet", describeOffSubnet(announcerNode, address));
    const place = `on this node and ${describeInterfaces(onSubnet)}`;
    const reason = `no L2Advertisement allows pool ${pool ?? "(none)"}${ofService} ${place}${refused}`;
    return cannot(name, "NotAllowed", reason);
  });
  const able = results.flatMap(({ about }) => about ?? []);
  const serving = preferServing(able, address.family, keys);
  const first = comingFirst(serving);
  const [isServing, isFirst] = [new Set(serving), new Set(first)];
  return results.map((result) => describeResult(result, isServing, isFirst));
}

function cannot(node: string, code: NonNullable<NodeResult["code"]>, reason: string): NodeResult {
  return { node, eligible: false, code, departure: undefined, reason };
}

/** `fault`: why it cannot serve the address although it may announce it. `about`: what decides that. */
type Evaluated = NodeResult & { readonly fault?: string | undefined; readonly about?: AnnouncingNode };

type AnnouncingNode = ServingNode & DepartingNode;

/**
 * As `createCandidateLookup`: nodes that cannot serve the address may announce it only if no other node can, and those that are about to stop come
 * last.
 */
function describeResult(
  { fault, about, ...result }: Evaluated,
  serving: ReadonlySet<AnnouncingNode>,
  first: ReadonlySet<AnnouncingNode>,
): NodeResult {
  if (about === undefined) return result;
  if (!serving.has(about)) return cannot(result.node, "CannotServe", fault ?? "");
  const although = fault === undefined ? "" : `, although it cannot serve it: ${fault}`;
  const { departure } = about;
  if (first.has(about) || departure === undefined) return { ...result, reason: `${result.reason}${although}` };
  const last = `; others come first, because ${describeDeparture(departure)}`;
  return { ...result, departure, reason: `${result.reason}${although}${last}` };
}

function describeFaults(announcing: AnnouncerNode["interfaces"], { family }: IpAddress): string {
  const texts = announcing.flatMap(({ name, cannotServe }) =>
    cannotServe.filter((entry) => entry.family === family).map((entry) => describeCannotServe(name, entry)),
  );
  return [...new Set(texts)].join(" ");
}

function describeOffSubnet({ interfaces }: AnnouncerNode, address: IpAddress): string {
  const wide = interfaces.filter(({ subnets }) => subnets.some(isLan));
  const own = wide.length === 0 ? "no interface with a subnet is up" : `it has ${describeInterfaces(wide)}`;
  return `no interface is on the subnet of ${formatAddress(address)}; ${own}`;
}

function describeInterfaces(interfaces: AnnouncerNode["interfaces"]): string {
  return interfaces.map(({ name, addresses }) => [name, ...addresses].join(" ")).join(", ");
}
