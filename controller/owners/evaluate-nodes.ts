import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import {
  type AnnouncerNode,
  advertisementsFor,
  type CandidateInput,
  createAbsenceLookup,
  createAnnouncerNode,
  evaluateAnnouncerNode,
} from "./announcer-node.ts";

/** Whether one node may announce an address, and why or why not. */
export interface NodeResult {
  readonly node: string;
  readonly eligible: boolean;
  /** Why it may not, as a word. Undefined: it may. */
  readonly code: "NoSpeaker" | "OffSubnet" | "NotAllowed" | undefined;
  /** Why it may not, in words; with `may` the interfaces and their addresses. */
  readonly reason: string;
}

/** Evaluates every node by itself. Those that may are the same as `createCandidateLookup` finds. Sorted by name. */
export function evaluateNodes(
  input: CandidateInput,
  address: IpAddress,
  pool: string | undefined,
): readonly NodeResult[] {
  const speakers = new Map([...input.speakers].map((speaker) => [speaker.metadata.name, speaker]));
  const advertisements = input.advertisements.length === 0 ? undefined : advertisementsFor(pool, input);
  const absence = createAbsenceLookup(input);
  return [...new Set([...input.nodes.keys(), ...speakers.keys()])].sort().map((name) => {
    const node = input.nodes.get(name);
    const speaker = speakers.get(name);
    const absent = absence(node, speaker);
    if (absent !== undefined || node === undefined || speaker === undefined) {
      return { node: name, eligible: false, code: "NoSpeaker", reason: absent ?? "" };
    }
    const announcerNode = createAnnouncerNode(node, speaker);
    const { onSubnet, announcing } = evaluateAnnouncerNode(announcerNode, advertisements, address);
    if (announcing.length > 0)
      return { node: name, eligible: true, code: undefined, reason: describeInterfaces(announcing) };
    if (onSubnet.length === 0)
      return { node: name, eligible: false, code: "OffSubnet", reason: describeOffSubnet(announcerNode, address) };
    const reason = `no L2Advertisement allows pool ${pool ?? "(none)"} on this node and ${describeInterfaces(onSubnet)}`;
    return { node: name, eligible: false, code: "NotAllowed", reason };
  });
}

function describeOffSubnet({ interfaces }: AnnouncerNode, address: IpAddress): string {
  const wide = interfaces.filter(({ subnets }) => subnets.some(isLan));
  const own = wide.length === 0 ? "no interface with a subnet is up" : `it has ${describeInterfaces(wide)}`;
  return `no interface is on the subnet of ${formatAddress(address)}; ${own}`;
}

function describeInterfaces(interfaces: AnnouncerNode["interfaces"]): string {
  return interfaces.map(({ name, addresses }) => [name, ...addresses].join(" ")).join(", ");
}
