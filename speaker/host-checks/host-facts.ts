import { addressBytes, formatAddress, parseAddress } from "../../src/ip/address.ts";
import type { NodeView } from "../../src/model/node.ts";
import { equalBytes } from "../../src/packet/mac.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";

/**
 * Service proxies put the addresses of all Services on these interfaces of every node: kube-proxy in ipvs mode (DefaultDummyDevice in
 * kubernetes/pkg/proxy/ipvs/proxier.go) and kube-router (KubeDummyIf in pkg/controllers/proxy).
 */
const serviceProxyInterfaces: ReadonlySet<string> = new Set(["kube-ipvs0", "kube-dummy-if"]);

/** The interface of a service proxy that has the addresses of all Services. */
export function serviceProxyInterface({ interfaces }: HostNetwork): string | undefined {
  return interfaces.find(({ name }) => serviceProxyInterfaces.has(name))?.name;
}

/** The interfaces of the IPv4 default routes of the lowest metric: several with one route of several next hops. */
export function defaultRouteInterfaces({ interfaces, routes }: HostNetwork): ReadonlySet<string> {
  const defaults = routes.filter(({ destination, prefixLength }) => prefixLength === 0 && destination.length === 4);
  const lowest = Math.min(...defaults.map(({ metric }) => metric));
  const indexes = new Set(defaults.filter(({ metric }) => metric === lowest).map((route) => route.interfaceIndex));
  return new Set(interfaces.filter(({ index }) => indexes.has(index)).map(({ name }) => name));
}

/** Whether an interface of the node has the address, the loopback included: some nodes are reached by an address on it. */
export function isOnNode(text: string, { addresses }: HostNetwork): boolean {
  const parsed = parseAddress(text);
  if (parsed === undefined) return false;
  const bytes = addressBytes(parsed);
  return addresses.some(({ address }) => equalBytes(address, bytes));
}

/** The InternalIPs of the Node that no interface has, in canonical form. */
export function missingNodeAddresses(node: NodeView | undefined, network: HostNetwork): readonly string[] {
  return [node?.internalIPv4, node?.internalIPv6].flatMap((text) => {
    const address = text === undefined ? undefined : parseAddress(text);
    return address === undefined || isOnNode(formatAddress(address), network) ? [] : [formatAddress(address)];
  });
}
