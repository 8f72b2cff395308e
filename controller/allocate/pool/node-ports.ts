/** Ports that Services may have on nodes' own addresses. Texts are `80/TCP` or, in lists, also `8000-8100/TCP`. */

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/**
 * What nodes need for themselves, even if the pool allows it. kube-proxy hands every packet for such a port to the Service, so a Service
 * there would cut the node off. Kubernetes documentation, "Ports and Protocols" (10250 to 10259, 2379, 2380, 6443, node ports); RKE2 and
 * K3s documentation, "Requirements" (9345); IANA for the rest, except 8472 (VXLAN in Linux), 51820 and 51821 (WireGuard in Flannel),
 * 51871 (WireGuard in Cilium), 4240 (Cilium health) and 5473 (Calico Typha).
 */
const nodeNeeds: readonly (readonly [string, string])[] = [
  ["10248-10259/TCP", "the kubelet, kube-proxy and the control plane"],
  ["2379-2381/TCP", "etcd"],
  ["6443/TCP", "the API server"],
  ["9345/TCP", "nodes that join the cluster (RKE2)"],
  ["53/TCP", "DNS"],
  ["53/UDP", "DNS"],
  ["67-68/UDP", "DHCP"],
  ["546-547/UDP", "DHCPv6"],
  ["179/TCP", "BGP"],
  ["4789/UDP", "the pod network (VXLAN)"],
  ["8472/UDP", "the pod network (VXLAN)"],
  ["6081/UDP", "the pod network (Geneve)"],
  ["4240/TCP", "the pod network (Cilium)"],
  ["5473/TCP", "the pod network (Calico)"],
  ["51820-51821/UDP", "a VPN (WireGuard)"],
  ["51871/UDP", "a VPN (WireGuard)"],
  ["500/UDP", "a VPN (IPsec)"],
  ["4500/UDP", "a VPN (IPsec)"],
  ["7481/TCP", "the speaker of Bellhop"],
  ["7482/UDP", "the speaker of Bellhop (heartbeats)"],
  ["30000-32767/TCP", "node ports"],
  ["30000-32767/UDP", "node ports"],
  ["30000-32767/SCTP", "node ports"],
];

const needs = nodeNeeds.map(([text, use]) => ({ range: parsePortRange(text), use }));

/** What nodes need the port for. Undefined: nothing that is known. */
export function nodeNeedOf(port: string): string | undefined {
  return needs.find(({ range }) => contains(range, port))?.use;
}

/** Whether a list of ports and ranges has the port. */
export function listsPort(list: readonly string[], port: string): boolean {
  return list.some((text) => contains(parsePortRange(text), port));
}

function contains(range: PortRange | undefined, port: string): boolean {
  const requested = parsePortRange(port);
  if (range === undefined || requested === undefined) return false;
  return range.protocol === requested.protocol && range.first <= requested.first && requested.last <= range.last;
}

/** Undefined for a text that is not a port or a range, which contains nothing. The API server refuses such texts. */
function parsePortRange(text: string): PortRange | undefined {
  const [, first, last, protocol] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?\/(TCP|UDP|SCTP)$/.exec(text) ?? [];
  if (first === undefined || protocol === undefined) return undefined;
  return { first: Number(first), last: Number(last ?? first), protocol };
}
