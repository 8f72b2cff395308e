import {
  avoidsDeadNodesFeature,
  deadNodesOf,
  frozenNodesOf,
  hasFeature,
  learnsAffinityFeature,
  type Speaker,
} from "../../../src/api/speaker.ts";
import { formatAddress, type IpFamily, parseAddress } from "../../../src/ip/address.ts";
import { decideForwarding } from "../../../src/model/forwarding.ts";
import { invalidSettings } from "../../../src/model/invalid-settings.ts";
import { isShownAsProxy } from "../../../src/model/ip-mode.ts";
import { namesOnlySome } from "../../../src/model/list-some.ts";
import { annotationField, reasonMessage } from "../../../src/model/reason.ts";
import { isOurClass, type ServiceView } from "../../../src/model/service.ts";
import { readSourceRanges } from "../../../src/model/source-ranges.ts";
import { type ReceivingNode, zoneLabel } from "../../../src/model/usable-endpoints.ts";
import { allocate } from "../../allocate/allocate.ts";
import type { Allocation } from "../../allocate/choose/allocation.ts";
import { evaluateAllPools, evaluateNamedPool } from "../../allocate/choose/evaluate-pool.ts";
import { showAddresses } from "../../allocate/choose/shown-addresses.ts";
import { isAssignedByBellhop } from "../../allocate/claim/assigned-condition.ts";
import { currentPoolOf } from "../../allocate/claim/claim.ts";
import { parseRequest } from "../../allocate/claim/request.ts";
import { serviceAnnotation } from "../../allocate/claim/service-annotations.ts";
import { countEndpoints, explainPorts, type Receiver } from "./endpoints.ts";
import { explainClaim } from "./explain-claim.ts";
import type { AddressPart, ClassPart, FamilyPart, PoolPart, RequestPart, ServiceExplanation } from "./explanation.ts";
import { findReasons } from "./find-reasons.ts";
import type { ServiceInput } from "./input.ts";

/** Explains one Service. Pure; decides as the controller does, with the controller's own functions. */
export function explainService(input: ServiceInput): ServiceExplanation {
  const { service, allocations, namespaceLabels, slices, conditions, externalIpReason } = input;
  const classPart = explainClass(input);
  const eligible = service.type === "LoadBalancer" && classPart.matches && !service.deleting;
  const allocation: Allocation = eligible
    ? allocate(allocations, service, namespaceLabels)
    : { assignments: [], reason: undefined, satisfied: false };
  const claims = allocation.assignments.flatMap(({ claim }) => claim ?? []);
  const addresses = claims.map((claim) => explainClaim(claim, input));
  const endpoints = countEndpoints(slices);
  const families = eligible
    ? service.ipFamilies.map((family) => {
        const own = addresses.filter(({ address }) => parseAddress(address)?.family === family);
        return explainFamily(input, family, own);
      })
    : [];
  const { reasons: ipModeReasons } = showAddresses(allocations, service, allocation.assignments);
  const reasons = findReasons(input, classPart, allocation, addresses, endpoints);
  return {
    service: service.key,
    served: reasons.length === 0,
    addresses: addresses.map(({ address }) => address),
    reasons,
    warnings: [
      ...(eligible ? invalidSettings(service) : []),
      ...ipModeReasons,
      ...(externalIpReason === undefined ? [] : [externalIpReason]),
    ],
    remarks: eligible ? findRemarks(input, allocation, addresses) : [],
    request: explainRequest(service),
    class: classPart,
    families,
    ports: eligible
      ? explainPorts(service, slices, addresses, receiverOf(input, addresses), announcerOf(input, addresses))
      : [],
    endpoints: eligible ? endpoints : [],
    conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
  };
}

/** Without an announcer the node is unknown. Nearly all nodes have an internal address, and so node ports. */
function receiverOf({ service, candidates, speakers }: ServiceInput, [first]: readonly AddressPart[]): Receiver {
  if (first?.node !== undefined) return "own node";
  const node = candidates.nodes.get(first?.announcedBy ?? "");
  if (node === undefined) return "node ports";
  const whole = service.ipFamilies.every((family) => {
    const address = family === "IPv4" ? node.internalIPv4 : node.internalIPv6;
    return address !== undefined && mayTakeNodePorts(address, speakers.get(node.name));
  });
  return whole ? "node ports" : "no node ports";
}

/**
 * The speaker reports if an InternalIP is on no interface of the node, but lists only addresses that it can announce from. It also reports if
 * the service proxy does not open node ports at an InternalIP, which the message names.
 */
function mayTakeNodePorts(internalIp: string, speaker: Speaker | undefined): boolean {
  const { conditions = [], interfaces = [] } = speaker?.status ?? {};
  const closed = conditions.find(({ type, status }) => type === "NodePorts" && status === "False")?.message;
  if (closed?.split(/[ ,]+/).includes(internalIp) === true) return false;
  if (!conditions.some(({ type, status }) => type === "NodeAddress" && status === "False")) return true;
  return interfaces.some(({ addresses }) => addresses.some((text) => text.split("/")[0] === internalIp));
}

/** The node that connections from the LAN arrive at. */
function announcerOf(
  { service, candidates, speakers }: ServiceInput,
  [first]: readonly AddressPart[],
): ReceivingNode | undefined {
  const view = candidates.nodes.get(first?.node ?? first?.announcedBy ?? "");
  if (view === undefined) return undefined;
  const { name, labels } = view;
  const speaker = speakers.get(name);
  const needed = service.affinityTimeoutSeconds === undefined ? avoidsDeadNodesFeature : learnsAffinityFeature;
  const stepsIn = speaker !== undefined && hasFeature(speaker, needed) === true && !mayDropForwarded(speaker);
  return { name, zone: labels[zoneLabel], ...(stepsIn ? { deadNodes: deadNodesOf(speaker) } : {}) };
}

/** Where a firewall may drop what goes straight to pods, the speaker leaves a dead node to kube-proxy. */
function mayDropForwarded({ status }: Speaker): boolean {
  return (status?.conditions ?? []).some((one) => one.type === "ForwardPolicy" && one.status !== "True");
}

function explainRequest(service: ServiceView): RequestPart {
  const annotations = Object.entries(service.annotations).map(([name, text]) => ({
    field: annotationField(name),
    text,
  }));
  const field = "spec.loadBalancerIP";
  return {
    ipFamilies: service.ipFamilies,
    ipFamilyPolicy: service.ipFamilyPolicy,
    externalTrafficPolicy: service.externalTrafficPolicy,
    requests: [
      ...(service.loadBalancerIP === undefined ? [] : [{ field, text: service.loadBalancerIP }]),
      ...annotations,
    ],
  };
}

function explainClass({ service, defaultClass }: ServiceInput): ClassPart {
  const name = service.loadBalancerClass;
  const matches = isOurClass(service, defaultClass);
  if (name !== undefined) {
    const ours = service.hasMetallbClass
      ? "the class of MetalLB, which this installation serves"
      : "the class of Bellhop";
    return { name, matches, reason: matches ? ours : "the class of another load balancer" };
  }
  const reason = matches
    ? "Bellhop serves Services without a class"
    : "this installation serves only Services with the class of Bellhop";
  return { name, matches, reason };
}

function explainFamily(input: ServiceInput, family: IpFamily, addresses: readonly AddressPart[]): FamilyPart {
  const requests = parseRequest(input.service).requested;
  const requested = requests?.get(family)?.text;
  // Pools are evaluated only for a Service that has no address and requests none.
  const isQuestion = addresses.length === 0 && requests !== undefined && requested === undefined;
  return { family, addresses, requested, pools: isQuestion ? evaluatePools(input, family) : [] };
}

function evaluatePools(input: ServiceInput, family: IpFamily): readonly PoolPart[] {
  const named = serviceAnnotation(input.service, "pool")?.text;
  const results = named === undefined ? evaluateAllPools(input, family) : [evaluateNamedPool(input, named, family)];
  return results.map(({ pool, address, code, detail }) => ({
    pool,
    address: address === undefined ? undefined : formatAddress(address),
    code,
    reason: code === "PoolNotFound" ? "There is no such pool." : (detail ?? "It has a free address."),
  }));
}

/** What is worth knowing even if the Service is served. */
function findRemarks(
  input: ServiceInput,
  { reason, satisfied }: Allocation,
  addresses: readonly AddressPart[],
): readonly string[] {
  const { service, allocations, leader, speakers } = input;
  const nodePortUsable = receiverOf(input, addresses) === "node ports";
  const toPods = [undefined, ...addresses].some((one) => {
    const facts = { nodePortUsable, kubeProxyLate: false, poolForwarding: one?.forwarding?.mode };
    return service.ports.some((port) => decideForwarding(service, port, facts).way === "pods");
  });
  const remarks: string[] = [];
  if (satisfied && reason !== undefined)
    remarks.push(`The Service prefers dual-stack, but has only one IP family. ${reasonMessage(reason)}`);
  const shown = service.ingress.map(({ ip }) => ip).filter((ip) => ip !== "");
  if (addresses.length === 0 && shown.length > 0 && !isAssignedByBellhop(service)) {
    remarks.push(
      `The status shows ${shown.join(", ")}, which Bellhop did not assign. Another load balancer may serve the Service.`,
    );
  }
  for (const { address: text, announcedBy, pool, node } of addresses) {
    const address = parseAddress(text);
    if (address !== undefined && pool !== undefined && currentPoolOf(allocations, { address, node }) === undefined) {
      remarks.push(
        `${text} is no longer in any usable pool (it was assigned from ${pool}). The Service keeps it until you request another address.`,
      );
    }
    for (const { type, status, message } of speakers.get(announcedBy ?? "")?.status?.conditions ?? []) {
      if (type === "ServiceProxy" && !mayName(message, text)) continue;
      const concerns = status === "False" || (status === "Unknown" && type === "ForwardPolicy" && toPods);
      if (concerns) remarks.push(`Node ${announcedBy}: ${message}`);
    }
  }
  remarks.push(
    ...describeDeadNodes(input, addresses),
    ...describeProxyMode(service, addresses),
    ...describeSourceRanges(service),
  );
  if (leader === undefined && addresses.length > 0) {
    remarks.push("No controller is active: what is served stays served, but nothing changes.");
  }
  return [...new Set(remarks)];
}

/** Whether a message names the address, or names only some of the addresses that it concerns. */
function mayName(message: string, address: string): boolean {
  return message.split(/[^\w.:]+/).includes(address) || namesOnlySome(message);
}

/**
 * Nodes with endpoints of which the announcing node knows that they are dead: before the cluster knows it, and afterwards, when kube-proxy may not
 * know it yet. When the slices changed is not known here.
 */
function describeDeadNodes({ slices, speakers }: ServiceInput, addresses: readonly AddressPart[]): readonly string[] {
  const counts = countEndpoints(slices);
  const listed = new Set(counts.map(({ node }) => node));
  const ready = new Set(counts.flatMap((one) => (one.ready > 0 ? one.node : [])));
  return addresses.flatMap(({ announcedBy }) => {
    const speaker = speakers.get(announcedBy ?? "");
    const dead = speaker === undefined ? [] : [...deadNodesOf(speaker)].filter((node) => listed.has(node));
    const frozen = speaker === undefined ? new Set() : frozenNodesOf(speaker);
    return dead.map((node) => {
      const what = ready.has(node)
        ? "kube-proxy may, until the EndpointSlices no longer list them as ready."
        : "The EndpointSlices no longer list them as ready. New connections that went straight to living pods in place of kube-proxy do so for as long as --kube-proxy-delay-seconds of the speakers says, 60 s by default.";
      const state = frozen.has(node) ? "frozen: its kernel answers and its programs do not" : "dead";
      return `Node ${node} is ${state}, as the speaker of node ${announcedBy} reports. Bellhop sends no connections to its pods. ${what}`;
    });
  });
}

/** How clients in the cluster reach addresses for which service proxies have no rules. */
function describeProxyMode(service: ServiceView, addresses: readonly AddressPart[]): readonly string[] {
  const texts = addresses.map(({ address }) => address).filter((text) => isShownAsProxy(service, text));
  if (texts.length === 0) return [];
  return [
    `The status shows ${texts.join(", ")} with ipMode Proxy. Service proxies have no rules for ${texts.length === 1 ? "it" : "them"}. Each node sends connections of its own and of its pods to its own node port.`,
  ];
}

/** Which clients the source ranges admit, by family. */
function describeSourceRanges({ sourceRanges, ipFamilies }: ServiceView): readonly string[] {
  const { allowed, invalid } = readSourceRanges(sourceRanges);
  const closed = ipFamilies.filter((family) => allowed[family]?.length === 0);
  const limited = ipFamilies.some((family) => (allowed[family]?.length ?? 0) > 0);
  const readable = sourceRanges.filter((text) => !invalid.includes(text));
  return [
    ...(limited ? [`Only clients in ${readable.join(", ")} are admitted.`] : []),
    ...closed.map((family) => `No ${family} client is admitted, because no source range of that family can be read.`),
  ];
}
