import { formatAddress } from "../../src/ip/address.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { type Element, elementId, type ServicePortKey } from "./element.ts";
import type { ElementIndex } from "./element-index.ts";
import type { FlowRule } from "./flow.ts";
import type { TableChange } from "./table-state.ts";

/** The UDP port of a Service that an element steers; undefined for elements that steer none. */
function steeredPort(element: Element): ServicePortKey | undefined {
  if (element.set === "udp_endpoints") {
    const { address, port } = element.key;
    return { address, protocol: "udp", port };
  }
  if (element.set !== "dnat_services" && element.set !== "node_ports") return undefined;
  return element.key.protocol === "udp" ? element.key : undefined;
}

/** The UDP ports that a change touched, by a text that is the same for equal ports. Pure. */
export function touchedUdpPorts(family: NftIpFamily, change: TableChange): ReadonlyMap<string, ServicePortKey> {
  const touched = new Map<string, ServicePortKey>();
  for (const elements of [change.removed, change.added]) {
    for (const element of elements.values()) {
      const key = steeredPort(element);
      if (key !== undefined) touched.set(elementId({ family, set: "dnat_services", key }), key);
    }
  }
  return touched;
}

/**
 * Where UDP flows to a port may lead from now on. Pure. Flows straight to endpoints may lead to the present endpoints only. Flows to a
 * node port may lead anywhere that kube-proxy chose, but not to the node itself: a packet that came before kube-proxy knew the node port
 * went there.
 */
export function flowRule(
  family: NftIpFamily,
  key: ServicePortKey,
  index: ElementIndex,
  nodeAddress: string | undefined,
): FlowRule {
  const nodePort = index.find({ family, set: "node_ports", key })?.value.nodePort;
  if (nodeAddress !== undefined && nodePort !== undefined) {
    return { destination: nodeAddress, destinationPort: nodePort, endpoints: "translated" };
  }
  const destination = formatAddress(key.address);
  return { destination, destinationPort: key.port, endpoints: endpointsOf(family, key, index) };
}

function endpointsOf(family: NftIpFamily, key: ServicePortKey, index: ElementIndex): ReadonlySet<string> {
  const count = index.find({ family, set: "dnat_services", key })?.value.count ?? 0;
  const { address, port } = key;
  const endpoints = new Set<string>();
  for (let number = 0; number < count; number++) {
    const found = index.find({ family, set: "udp_endpoints", key: { address, port, index: number } });
    if (found !== undefined) endpoints.add(`${formatAddress(found.value.address)} ${found.value.port}`);
  }
  return endpoints;
}
