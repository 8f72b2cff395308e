import { leaderLeaseName, rulesWrittenCondition } from "../../../src/api/labels.ts";
import { refusedServicesOf } from "../../../src/api/speaker.ts";
import { formatAddress, parseAddress } from "../../../src/ip/address.ts";
import { listSome } from "../../../src/model/list-some.ts";
import { type Reason, type ReasonCode, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import type { Allocation } from "../../allocate/choose/allocation.ts";
import { usedElsewhere } from "../../allocate/choose/used-elsewhere.ts";
import { conflictIn } from "../../allocate/claim/claim.ts";
import { describeNoAnnouncer } from "../../owners/describe-no-announcer.ts";
import { usableNodes } from "./endpoints.ts";
import type { AddressPart, ClassPart, NodeEndpoints } from "./explanation.ts";
import type { ServiceInput } from "./input.ts";

/** Why the Service is not served, in the order in which it must be cured. Empty: it is served. */
export function findReasons(
  input: ServiceInput,
  classPart: ClassPart,
  allocation: Allocation,
  addresses: readonly AddressPart[],
  endpoints: readonly NodeEndpoints[],
): readonly Reason[] {
  const { service } = input;
  const refuse = reasonAbout(input);
  if (service.type !== "LoadBalancer") return [refuse("NotLoadBalancer", "spec.type", service.type)];
  if (!classPart.matches) {
    const code = classPart.name === undefined ? "NoDefaultClass" : "ForeignClass";
    return [refuse(code, "spec.loadBalancerClass", classPart.name ?? "")];
  }
  if (service.deleting) return [refuse("BeingDeleted", "metadata.deletionTimestamp", "")];
  const { reason, satisfied } = allocation;
  return [
    ...(reason !== undefined && !satisfied ? [reason] : []),
    ...findPendingReasons(input, allocation, reason !== undefined && !satisfied),
    ...addresses.flatMap((part) => findAnnouncementReasons(input, part)),
    ...findEndpointReasons(input, addresses, endpoints),
  ];
}

type Refuse = (code: ReasonCode, field: string, value: string, detail?: string) => Reason;

function reasonAbout({ service }: ServiceInput): Refuse {
  return (code, field, value, detail) => reasonOf(code, { object: serviceObject(service), field, value, detail });
}

/** What is decided and not done yet, or will not be done because no controller leads. */
function findPendingReasons(
  { service, leader, namespace }: ServiceInput,
  { assignments }: Allocation,
  refused: boolean,
): readonly Reason[] {
  const due = assignments.map(({ address }) => formatAddress(address));
  const shown = service.ingress.map(({ ip }) => ip);
  const done = due.join() === shown.join() && assignments.every(({ claim }) => claim !== undefined);
  if (leader === undefined && (!done || refused)) {
    const object = `Lease ${namespace}/${leaderLeaseName}`;
    return [reasonOf("ControllerAbsent", { object, field: "spec.holderIdentity", value: "" })];
  }
  if (done || refused) return [];
  const about = { object: serviceObject(service), field: "status.loadBalancer.ingress", value: shown.join(", ") };
  const detail =
    due.length === 0
      ? "The controller is about to remove its addresses."
      : `The controller is about to assign ${due.join(", ")}.`;
  return [reasonOf("NotDoneYet", { ...about, detail })];
}

/** Why the address is not announced, or which other device answers for it. A node's own address is not announced. */
function findAnnouncementReasons(input: ServiceInput, part: AddressPart): readonly Reason[] {
  if (part.node !== undefined) return [];
  const about = { object: `VirtualIP ${part.virtualIp ?? ""}`, field: "spec.address", value: part.address };
  if (!part.nodes.some(({ eligible }) => eligible)) {
    const field = "status.loadBalancer.ingress";
    return [reasonAbout(input)("NoAnnouncer", field, part.address, describeNoAnnouncer(part.nodes))];
  }
  const refusing = part.announcedBy ?? part.owners[0] ?? "";
  const speaker = input.speakers.get(refusing);
  if (speaker !== undefined && refusedServicesOf(speaker).includes(input.service.key)) {
    const said = part.conditions.some(({ type, status }) => type === rulesWrittenCondition && status === "False");
    const detail = said ? `What the kernel answers is in the conditions of VirtualIP ${part.virtualIp ?? ""}.` : "";
    return [reasonAbout(input)("RulesRefused", "", refusing, detail)];
  }
  if (part.announcedBy === undefined) {
    const detail =
      part.owners.length === 0 ? "No owner is assigned yet." : `Its owners are ${part.owners.join(", then ")}.`;
    return [reasonOf("NotAnnouncedYet", { ...about, detail })];
  }
  const conflict = conflictIn(part.conditions);
  const address = parseAddress(part.address);
  const elsewhere = address === undefined ? undefined : usedElsewhere(input.allocations, input.service, address);
  return [
    ...(conflict === undefined ? [] : [reasonOf("AddressConflict", { ...about, detail: conflict })]),
    ...(elsewhere === undefined ? [] : [elsewhere]),
  ];
}

/** Why no pod is ready, or why traffic cannot reach the ready ones. */
function findEndpointReasons(
  input: ServiceInput,
  addresses: readonly AddressPart[],
  endpoints: readonly NodeEndpoints[],
): readonly Reason[] {
  const { service, selector } = input;
  const refuse = reasonAbout(input);
  const text = Object.entries(selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  for (const { address, node: ownNode, announcedBy, nodes } of addresses) {
    const family = parseAddress(address)?.family ?? "IPv4";
    const usable = usableNodes(endpoints, family, service.externalTrafficPolicy);
    if (usable.size === 0)
      return [refuse("NoReadyEndpoint", "spec.selector", text, describeNotReady(endpoints, family))];
    // Under Local a node's own address is assigned only where a pod is ready.
    if (service.externalTrafficPolicy !== "Local" || ownNode !== undefined) continue;
    const near =
      announcedBy === undefined
        ? nodes.some(({ node, eligible }) => eligible && usable.has(node))
        : usable.has(announcedBy);
    if (near) continue;
    const names = [...usable].map((node) => node ?? "an unknown node");
    return [
      refuse("NoLocalEndpoint", "spec.externalTrafficPolicy", "Local", `Its ready pods are on ${listSome(names)}.`),
    ];
  }
  return [];
}

function describeNotReady(endpoints: readonly NodeEndpoints[], family: string): string {
  const notReady = endpoints
    .filter((count) => count.family === family)
    .reduce((sum, { notReady: own }) => sum + own, 0);
  if (notReady === 0) return `There are no ${family} endpoints at all.`;
  return notReady === 1
    ? `Its only ${family} endpoint is not ready.`
    : `None of its ${notReady} ${family} endpoints is ready.`;
}
