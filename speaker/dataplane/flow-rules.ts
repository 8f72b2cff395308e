import { formatAddress, type IpAddress } from "../../src/ip/address.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import type { Element, ServicePortKey, SetName } from "./element.ts";
import { elementId } from "./element-id.ts";
import type { ElementIndex } from "./element-index.ts";
import type { AddressFlowRule, FlowRule, PortFlowRule } from "./flow.ts";
import type { TableChange } from "./table-state.ts";

/** What a change of the rules was about: a UDP port of a Service, or with `port` undefined the whole address. */
export interface FlowTarget {
  readonly address: IpAddress;
  readonly port: number | undefined;
}

/** Targets by a text that is the same for equal ones. */
export type FlowTargets = ReadonlyMap<string, FlowTarget>;

/** The UDP port of a Service that an element steers; undefined for elements that steer none. */
function steeredPort(element: Element): ServicePortKey | undefined {
  if (element.set === "udp_endpoints") {
    const { address, port } = element.key;
    return { address, protocol: "udp", port };
  }
  return servedPort(element);
}

/** The UDP port whose way an element says; undefined for elements that say no such thing. */
function servedPort(element: Element): ServicePortKey | undefined {
  if (element.set !== "dnat_services" && element.set !== "node_ports" && element.set !== "proxied_services") {
    return undefined;
  }
  return element.key.protocol === "udp" ? element.key : undefined;
}

export interface TouchedFlows {
  /** What to look at once. */
  readonly now: FlowTargets;
  /** What to look at again later: kube-proxy learns of the end of a port or an address later than we do, and sends new flows until then. */
  readonly again: FlowTargets;
}

/** The sets whose elements say where UDP flows go. */
const flowSets: ReadonlySet<SetName> = new Set<SetName>([
  "service_addresses",
  "udp_endpoints",
  "dnat_services",
  "node_ports",
  "proxied_services",
]);

/** What a change touched. Pure. */
export function touchedFlows(change: Pick<TableChange, "removed" | "added">): TouchedFlows {
  const now = new Map<string, FlowTarget>();
  const again = new Map<string, FlowTarget>();
  for (const elements of [change.removed, change.added]) {
    for (const element of elements.of(flowSets)) {
      if (element.set === "service_addresses") {
        const { address } = element.key;
        const id = formatAddress(address);
        now.set(id, { address, port: undefined });
        again.set(id, { address, port: undefined });
        continue;
      }
      const key = steeredPort(element);
      if (key === undefined) continue;
      const id = `${formatAddress(key.address)} ${key.port}`;
      now.set(id, key);
      if (elements === change.removed && servedPort(element) !== undefined) again.set(id, key);
    }
  }
  return { now, again };
}

/** What UDP flows to a target may do from now on. Pure. */
export function flowRule(
  family: NftIpFamily,
  { address, port }: FlowTarget,
  index: ElementIndex,
  nodeAddress: string | undefined,
): FlowRule {
  return port === undefined
    ? addressRule(family, address, index)
    : portRule(family, { address, protocol: "udp", port }, index, nodeAddress);
}

/**
 * Flows straight to endpoints may lead to the present endpoints only. Those that kube-proxy translates may lead anywhere that it chose, but
 * not to the destination itself: a packet that came before kube-proxy knew the port went there.
 */
function portRule(
  family: NftIpFamily,
  key: ServicePortKey,
  index: ElementIndex,
  nodeAddress: string | undefined,
): PortFlowRule {
  const nodePort = index.find({ family, set: "node_ports", key })?.value.nodePort;
  if (nodeAddress !== undefined && nodePort !== undefined) {
    return { destination: nodeAddress, destinationPort: nodePort, endpoints: "translated" };
  }
  const proxied = index.find({ family, set: "proxied_services", key }) !== undefined;
  const endpoints = proxied ? "translated" : endpointsOf(family, key, index);
  return { destination: formatAddress(key.address), destinationPort: key.port, endpoints };
}

/** A port that no Service of the address serves takes no flows, of whichever Service they once were. */
function addressRule(family: NftIpFamily, address: IpAddress, index: ElementIndex): AddressFlowRule {
  const destination = formatAddress(address);
  const servedPorts = new Set<number>();
  for (const owner of index.ownersOf(elementId({ family, set: "service_addresses", key: { address } }))) {
    for (const element of index.elementsOf(owner, flowSets)) {
      const key = servedPort(element);
      if (key !== undefined && formatAddress(key.address) === destination) servedPorts.add(key.port);
    }
  }
  return { destination, servedPorts };
}

function endpointsOf(family: NftIpFamily, key: ServicePortKey, index: ElementIndex): ReadonlySet<string> {
  const count = index.find({ family, set: "dnat_services", key })?.value.count ?? 0;
  const { address, port } = key;
  const found = index.find({ family, set: "udp_endpoints", key: { address, port } })?.value ?? [];
  return new Set(found.slice(0, count).map((endpoint) => `${formatAddress(endpoint.address)} ${endpoint.port}`));
}
