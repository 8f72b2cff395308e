import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import { describeCannotServe } from "../../src/model/host-reason.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import {
  type AnnouncerNode,
  type CandidateInput,
  createAbsenceLookup,
  createAnnouncerNode,
  evaluateAnnouncerNode,
} from "./announcer-node.ts";
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
      return { node: name, eligible: false, code: "NoSpeaker", reason: absent ?? "" };
    }
    const announcerNode = createAnnouncerNode(node, speaker);
    const { onSubnet, announcing, serves } = evaluateAnnouncerNode(announcerNode, advertisements, address);
    if (announcing.length > 0) {
      const reason = describeInterfaces(announcing);
      const about = { ...announcerNode, serves };
      const fault = serves ? describeUnready(about, address.family, keys) : describeFaults(announcing, address);
      return { node: name, eligible: true, code: undefined, reason, fault, about };
    }
    if (onSubnet.length === 0)
      return { node: name, eligible: false, code: "OffSubnet", reason: describeOffSubnet(announcerNode, address) };
    const place = `on this node and ${describeInterfaces(onSubnet)}`;
    const reason = `no L2Advertisement allows pool ${pool ?? "(none)"}${ofService} ${place}${refused}`;
    return { node: name, eligible: false, code: "NotAllowed", reason };
  });
  const serving = new Set(
    preferServing(
      results.flatMap(({ about }) => about ?? []),
      address.family,
      keys,
    ),
  );
  return results.map((result) => describeResult(result, serving));
}

/** `fault`: why it cannot serve the address although it may announce it. `about`: what decides that. */
type Evaluated = NodeResult & { readonly fault?: string | undefined; readonly about?: ServingNode };

/** As `createCandidateLookup`: nodes that cannot serve the address may announce it only if no other node can. */
function describeResult({ fault, about, ...result }: Evaluated, serving: ReadonlySet<ServingNode>): NodeResult {
  if (fault === undefined || about === undefined) return result;
  return serving.has(about)
    ? { ...result, reason: `${result.reason}, although it cannot serve it: ${fault}` }
    : { ...result, eligible: false, code: "CannotServe", reason: fault };
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
