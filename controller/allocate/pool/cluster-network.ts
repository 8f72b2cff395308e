import { type IpRange, subnetOf } from "../../../src/ip/range.ts";
import type { NodeView } from "../../../src/model/node.ts";
import type { ServiceCidrView } from "../../../src/model/service-cidr.ts";

/** A network that the cluster itself uses, so no pool may overlap it. */
export interface ClusterNetwork {
  readonly use: "Service" | "Pod";
  readonly range: IpRange;
  /** `Node n1`, `ServiceCIDR kubernetes`. */
  readonly source: string;
}

/** The networks of ServiceCIDRs and Nodes, in a fixed order. Texts that are not CIDRs are ignored. */
export function clusterNetworks(
  serviceCidrs: Iterable<ServiceCidrView>,
  nodes: Iterable<NodeView>,
): readonly ClusterNetwork[] {
  const ofServices = [...serviceCidrs].flatMap(({ name, cidrs }) => networks("Service", cidrs, `ServiceCIDR ${name}`));
  const ofPods = [...nodes].flatMap(({ name, podCIDRs }) => networks("Pod", podCIDRs, `Node ${name}`));
  return [...ofServices, ...ofPods].sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0));
}

function networks(use: ClusterNetwork["use"], cidrs: readonly string[], source: string): readonly ClusterNetwork[] {
  return cidrs.flatMap((cidr) => {
    const range = subnetOf(cidr);
    return range === undefined ? [] : [{ use, range, source }];
  });
}
