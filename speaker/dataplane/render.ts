import { formatAddress, type IpAddress, type IpFamily, parseAddress } from "../../src/ip/address.ts";
import type { IpRange } from "../../src/ip/range.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import { decideForwarding, type Forwarding, type ForwardingDecision } from "../../src/model/forwarding.ts";
import { isShownAsProxy } from "../../src/model/ip-mode.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { readSourceRanges } from "../../src/model/source-ranges.ts";
import { assignBuckets } from "./buckets.ts";
import type { AffinityPort, Element, EndpointAddress, ServicePortKey } from "./element.ts";
import { afterDeathUntilMs, lateUntilMs, type SeenService, seeService } from "./kube-proxy-delay.ts";
import { type NodePortNode, type PermitsPort, type PlannedPort, planPorts } from "./planned-port.ts";
import { nftFamilies } from "./tables.ts";

/** The properties of this node that the rules depend on. */
export interface NodeFacts extends NodePortNode {
  /** Whether addresses of Services answer ping. Missing: they do not. */
  readonly answersPing?: boolean;
  /**
   * Whether a chain of another program may drop what goes straight to pods, and not what kube-proxy has marked. Nothing is then sent straight
   * to pods in place of kube-proxy. Missing: none does.
   */
  readonly mayDropForwarded?: boolean;
  /** Whether the service proxy hides which endpoint it chooses: packets that IPVS takes pass no chain behind it. Missing: it does not. */
  readonly hiddenChoices?: boolean;
  /** See `RuleSettings`. */
  readonly tcpLoose?: boolean;
  /** The seed of the hashes that choose endpoints, which is the same on every node of the cluster. */
  readonly hashSeed: number;
}

/** What decides whether kube-proxy may be late. Times are monotonic. */
export interface KubeProxyTiming {
  /** The Service as it was rendered before; undefined: it is new. */
  readonly before: SeenService | undefined;
  readonly nowMs: number;
  /** How long kube-proxy may take until its rules have a change. 0: nothing goes straight to pods in its place. */
  readonly delayMs: number;
  /** Added to the time of what is new, so that not everything is due at once after a start. */
  readonly spreadMs: number;
}

export interface RenderOptions {
  /** Default: it may have every port. */
  readonly permits?: PermitsPort;
  /** Default: kube-proxy is never late. */
  readonly timing?: KubeProxyTiming;
  /** `poolForwarding` of the addresses. Default: undefined. */
  readonly forwardingAt?: (address: IpAddress) => Forwarding | undefined;
}

export interface RenderedService {
  readonly elements: readonly Element[];
  /** For the next time. */
  readonly seen: SeenService;
  /** When the Service must be rendered again because kube-proxy has caught up; undefined: not for that. */
  readonly dueMs: number | undefined;
  /** Families of which ports are forwarded by node ports, where these can be reached. */
  readonly nodePortFamilies: ReadonlySet<IpFamily>;
}

const permitsAll: PermitsPort = () => true;
const neverLate: KubeProxyTiming = { before: undefined, nowMs: 0, delayMs: 0, spreadMs: 0 };

/**
 * The elements for one Service with its addresses on this node. Pure. A port that no endpoint in the cluster serves is refused, unless the
 * user leaves it to kube-proxy. A port whose endpoints are all on other nodes gets no endpoints under externalTrafficPolicy Local, so that
 * kube-proxy's own rules for the address or the node port drop. Source ranges apply all the same.
 */
export function renderService(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  addresses: readonly IpAddress[],
  node: NodeFacts,
  { permits = permitsAll, timing = neverLate, forwardingAt = () => undefined }: RenderOptions = {},
): RenderedService {
  const { before, nowMs, delayMs, spreadMs } = timing;
  const ports = planPorts(service, slices, addresses, node, permits, followedNodes(node, before));
  const seen = seeService(before, service.uid, ports, nowMs + spreadMs);
  const { allowed } = readSourceRanges(service.sourceRanges);
  const elements: Element[] = [];
  const nodePortFamilies = new Set<IpFamily>();
  let dueMs: number | undefined;
  for (const address of addresses) {
    const family = nftFamilies[address.family];
    elements.push({ family, set: "service_addresses", key: { address } });
    const own = node.answersPing === true ? parseAddress(node.addresses[address.family] ?? "") : undefined;
    if (own !== undefined) {
      elements.push({ family, set: "ping_addresses", key: { address }, value: { nodeAddress: own } });
    }
  }
  for (const port of ports) {
    const stepsIn = node.mayDropForwarded !== true && delayMs > 0;
    const seenPort = seen.ports.get(port.id);
    const lateMs = stepsIn ? lateUntilMs(seenPort, nowMs, delayMs) : undefined;
    const afterDeathMs = stepsIn ? afterDeathUntilMs(seenPort, nowMs, delayMs) : undefined;
    const hiddenChoices = node.hiddenChoices === true;
    const decision = decideForwarding(service, port.port, {
      nodePortUsable: port.nodePortUsable,
      kubeProxyLate: lateMs !== undefined,
      afterDeath: afterDeathMs !== undefined,
      poolForwarding: forwardingAt(port.key.address),
      deadEndpoints: stepsIn && port.deadNodes.size > 0,
      hiddenChoices,
    });
    if (decision.way === "nodeport" || decision.cause === "node port not usable")
      nodePortFamilies.add(port.key.address.family);
    if (decision.cause === "kube-proxy late")
      for (const endMs of [lateMs, afterDeathMs]) if (endMs !== undefined) dueMs = Math.min(dueMs ?? endMs, endMs);
    elements.push(
      ...renderSourceRanges(allowed[port.key.address.family], port, decision),
      ...renderPort(service, port, decision, node.hashSeed),
      ...(stepsIn && !hiddenChoices ? renderLearning(service, port, decision) : []),
    );
  }
  return { elements, seen, dueMs, nodePortFamilies };
}

/** Nodes that are dead, and those whose death the ports have not left behind. */
function followedNodes({ deadNodes }: NodeFacts, before: SeenService | undefined): ReadonlySet<string> {
  const followed = new Set(deadNodes);
  for (const port of before?.ports.values() ?? []) for (const name of port.deadNodes) followed.add(name);
  return followed;
}

/** `allowed` undefined: from everywhere. */
function renderSourceRanges(
  allowed: readonly IpRange[] | undefined,
  { key, port: { nodePort } }: PlannedPort,
  { way }: ForwardingDecision,
): readonly Element[] {
  if (allowed === undefined) return [];
  const family = nftFamilies[key.address.family];
  const elements: Element[] = [{ family, set: "source_range_services", key }];
  for (const source of allowed) elements.push({ family, set: "source_ranges", key: { ...key, source } });
  if (way !== "nodeport") return elements;
  const atNodePort = { protocol: key.protocol, nodePort };
  elements.push({ family, set: "source_range_node_ports", key: atNodePort });
  for (const source of allowed)
    elements.push({ family, set: "node_port_source_ranges", key: { ...atNodePort, source } });
  return elements;
}

function renderPort(
  service: ServiceView,
  planned: PlannedPort,
  decision: ForwardingDecision,
  hashSeed: number,
): readonly Element[] {
  const { key, endpoints, unserved, foreign } = planned;
  const family = nftFamilies[key.address.family];
  const refusal: readonly Element[] = unserved ? [{ family, set: "no_endpoint_services", key }] : [];
  const proxied: Element = { family, set: "proxied_services", key };
  switch (decision.way) {
    case "kube-proxy":
      return decision.cause === "node port" ? [...refusal, proxied] : [proxied];
    case "nodeport":
      // Also without ready endpoints: an open connection must be rewritten as long as its pod, ready or not, answers.
      return [...refusal, ...renderNodePort(service, planned)];
    case "pods":
      if (endpoints.length > 0) return renderEndpoints(service, planned, decision, hashSeed);
      return foreign ? [proxied] : refusal;
  }
}

/**
 * What learns whom kube-proxy sends where, for the time when one of the nodes of these endpoints is dead. Under Local, kube-proxy uses the endpoints of
 * this node alone.
 */
function renderLearning(
  { affinityTimeoutSeconds: timeoutSeconds, externalTrafficPolicy }: ServiceView,
  { key, foreign }: PlannedPort,
  { way, cause }: ForwardingDecision,
): readonly Element[] {
  if (timeoutSeconds === undefined || foreign || externalTrafficPolicy === "Local") return [];
  return way === "kube-proxy" && cause === "node port"
    ? affinityPort(key, { timeoutSeconds, chosenBy: "kube-proxy" })
    : [];
}

/** What the status shows decides about clients in the cluster, because service proxies go by that. */
function renderNodePort(service: ServiceView, { port: { nodePort }, key }: PlannedPort): readonly Element[] {
  const family = nftFamilies[key.address.family];
  const reply = { protocol: key.protocol, nodePort };
  const inCluster: Element = { family, set: "in_cluster_services", key };
  return [
    ...(isShownAsProxy(service, formatAddress(key.address)) ? [inCluster] : []),
    { family, set: "node_ports", key, value: { nodePort } },
    { family, set: "reply_addresses", key: reply, value: { address: key.address } },
    { family, set: "reply_ports", key: reply, value: { port: key.port } },
  ];
}

/**
 * In place of kube-proxy, the client's address is masqueraded as kube-proxy does: a pod would otherwise see the client's own address only
 * for as long as its Service is new, or a node is dead.
 */
function renderEndpoints(
  service: ServiceView,
  { key, endpoints }: PlannedPort,
  { cause }: ForwardingDecision,
  hashSeed: number,
): readonly Element[] {
  const family = nftFamilies[key.address.family];
  const { address, protocol, port } = key;
  const { affinityTimeoutSeconds: timeoutSeconds } = service;
  const set = protocol === "udp" ? "udp_endpoints" : "tcp_endpoints";
  const entries = timeoutSeconds === undefined ? endpoints : bucketsOf(endpoints, hashSeed);
  const by = timeoutSeconds === undefined ? "flow" : "client";
  const inPlaceOfKubeProxy = cause === "kube-proxy late" || cause === "dead node";
  const keepsClient = !inPlaceOfKubeProxy || service.externalTrafficPolicy === "Local";
  const masqueraded = endpoints.filter(({ local }) => !keepsClient || !local);
  const remote: Element = { family, set: "remote_endpoints", key: { address, protocol }, value: masqueraded };
  return [
    { family, set: "dnat_services", key, value: { by, count: entries.length, seed: hashSeed } },
    { family, set, key: { address, port }, value: entries },
    ...(timeoutSeconds === undefined ? [] : affinityElements(key, endpoints, timeoutSeconds)),
    ...(masqueraded.length === 0 ? [] : [remote]),
  ];
}

function affinityElements(
  key: ServicePortKey,
  endpoints: readonly EndpointAddress[],
  timeoutSeconds: number,
): readonly Element[] {
  const family = nftFamilies[key.address.family];
  return [
    ...affinityPort(key, { timeoutSeconds, chosenBy: "us" }),
    ...endpoints.map((endpoint): Element => ({ family, set: "affinity_endpoints", key: { ...key, endpoint } })),
  ];
}

function affinityPort(key: ServicePortKey, value: AffinityPort): readonly Element[] {
  const family = nftFamilies[key.address.family];
  return [
    { family, set: "affinity_addresses", key: { address: key.address }, value: "affinity_ports" },
    { family, set: "affinity_services", key, value },
  ];
}

/** The endpoint of each bucket. */
function bucketsOf(endpoints: readonly EndpointAddress[], seed: number): readonly EndpointAddress[] {
  const names = endpoints.map(({ address, port }) => `${formatAddress(address)} ${port}`);
  return assignBuckets(names, seed).flatMap((index) => endpoints[index] ?? []);
}
