import { serviceProxyNameLabel } from "../../src/api/labels.ts";
import { compareAddresses, type IpAddress, type IpFamily } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import type { Protocol, ServicePort, ServiceView } from "../../src/model/service.ts";
import {
  nodesReached,
  type ReceivingNode,
  type UsableEndpoint,
  usableEndpoints,
} from "../../src/model/usable-endpoints.ts";
import type { NftProtocol } from "../../src/nft/data.ts";
import type { ServicePortKey } from "./element.ts";
import { elementId } from "./element-id.ts";
import type { ProxiedPort } from "./kube-proxy-delay.ts";
import { nftFamilies } from "./tables.ts";

const nftProtocols: Readonly<Record<Protocol, NftProtocol>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/** The node that connections arrive at, and that may serve node ports. */
export interface NodePortNode extends ReceivingNode {
  /** The address on which kube-proxy serves node ports, if it is on an interface of the node. */
  readonly addresses: Readonly<Record<IpFamily, string | undefined>>;
  /** Families in which the service proxy does not open node ports there. Missing: none. */
  readonly closedNodePorts?: ReadonlySet<IpFamily>;
}

/** Whether the Service may have the port on the address: others may share it. */
export type PermitsPort = (address: IpAddress, port: ServicePort) => boolean;

/** A port on one address, with the endpoints that take its connections on this node. */
export interface PlannedPort extends ProxiedPort {
  readonly port: ServicePort;
  readonly key: ServicePortKey;
  readonly nodePortUsable: boolean;
  readonly endpoints: readonly UsableEndpoint[];
  /** Whether another service proxy serves it. Its endpoints are not watched: that there are none is not known. */
  readonly foreign: boolean;
  /** Whether no endpoint in the cluster takes its connections. */
  readonly unserved: boolean;
}

/** The ports of a Service on its addresses. `followed`: other nodes that are dead, or were when the Service was last seen. Pure. */
export function planPorts(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  addresses: readonly IpAddress[],
  node: NodePortNode,
  permits: PermitsPort,
  followed: ReadonlySet<string>,
): readonly PlannedPort[] {
  const localOnly = service.externalTrafficPolicy === "Local";
  const foreign = service.labels[serviceProxyNameLabel] !== undefined;
  const planned: PlannedPort[] = [];
  const families = new Set<IpFamily>();
  for (const address of [...addresses].sort(compareAddresses)) {
    const { family } = address;
    // A node port leads back to one address of each family; further ones go to the pods.
    const open = node.addresses[family] !== undefined && node.closedNodePorts?.has(family) !== true;
    const nodePortUsable = open && !families.has(family);
    families.add(family);
    for (const port of service.ports) {
      if (!permits(address, port)) continue;
      const key: ServicePortKey = { address, protocol: nftProtocols[port.protocol], port: port.port };
      const query = { family, port, node, localOnly };
      const endpoints = usableEndpoints(slices, query);
      const unserved =
        endpoints.length === 0 &&
        !foreign &&
        (!localOnly || usableEndpoints(slices, { ...query, localOnly: false }).length === 0);
      const id = elementId({ family: nftFamilies[family], set: "proxied_services", key });
      const served = endpoints.length > 0;
      const reachedNodes = nodesReached(slices, query, followed);
      const dead = [...reachedNodes].filter((name) => node.deadNodes?.has(name));
      const deadNodes = dead.length === reachedNodes.size ? reachedNodes : new Set(dead);
      const proxied = { id, nodePort: port.nodePort, served, reachedNodes, deadNodes };
      planned.push({ ...proxied, port, key, nodePortUsable, endpoints, foreign, unserved });
    }
  }
  return planned;
}
