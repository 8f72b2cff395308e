import { serviceProxyNameLabel } from "../../src/api/labels.ts";
import { compareAddresses, formatAddress, type IpAddress, type IpFamily, parseAddress } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import { forwardingOf } from "../../src/model/forwarding.ts";
import type { Protocol, ServicePort, ServiceView } from "../../src/model/service.ts";
import { readSourceRanges } from "../../src/model/source-ranges.ts";
import { type ReceivingNode, type UsableEndpoint, usableEndpoints } from "../../src/model/usable-endpoints.ts";
import type { NftProtocol } from "../../src/nft/data.ts";
import { assignBuckets } from "./buckets.ts";
import type { Element, EndpointAddress, ServicePortKey } from "./element.ts";
import { nftFamilies } from "./tables.ts";

const nftProtocols: Readonly<Record<Protocol, NftProtocol>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/** The properties of this node that the rules depend on. */
export interface NodeFacts extends ReceivingNode {
  /** The address on which kube-proxy serves node ports. */
  readonly addresses: Readonly<Record<IpFamily, string | undefined>>;
  /** Whether addresses of Services answer ping. Missing: they do not. */
  readonly answersPing?: boolean;
  /** The seed of the hashes that choose endpoints, which is the same on every node of the cluster. */
  readonly hashSeed: number;
}

/** Whether the Service may have the port on the address: others may share it. */
export type PermitsPort = (address: IpAddress, port: ServicePort) => boolean;

/**
 * The elements for one Service with its addresses on this node. Pure. A port that no endpoint in the cluster serves is refused. A port
 * whose endpoints are all on other nodes gets no endpoints under externalTrafficPolicy Local, so that kube-proxy's own rules for the
 * address or the node port drop. Source ranges apply all the same.
 */
export function renderService(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  addresses: readonly IpAddress[],
  node: NodeFacts,
  permits: PermitsPort = () => true,
): readonly Element[] {
  const elements: Element[] = [];
  const ranges = readSourceRanges(service.sourceRanges);
  const seen = new Set<IpFamily>();
  for (const address of [...addresses].sort(compareAddresses)) {
    const { family } = address;
    // A node port leads back to one address of each family; further ones go to the pods.
    const nodeAddress = seen.has(family) ? undefined : node.addresses[family];
    seen.add(family);
    const nftFamily = nftFamilies[family];
    elements.push({ family: nftFamily, set: "service_addresses", key: { address } });
    const own = node.answersPing === true ? parseAddress(node.addresses[family] ?? "") : undefined;
    if (own !== undefined) {
      elements.push({ family: nftFamily, set: "ping_addresses", key: { address }, value: { nodeAddress: own } });
    }
    for (const port of service.ports) {
      if (!permits(address, port)) continue;
      const key: ServicePortKey = { address, protocol: nftProtocols[port.protocol], port: port.port };
      const allowed = ranges.allowed[family];
      if (allowed !== undefined) {
        elements.push({ family: nftFamily, set: "source_range_services", key });
        for (const source of allowed)
          elements.push({ family: nftFamily, set: "source_ranges", key: { ...key, source } });
      }
      elements.push(...renderPort({ service, port, key, slices, node, nodeAddress }));
    }
  }
  return elements;
}

interface PortContext {
  readonly service: ServiceView;
  readonly port: ServicePort;
  readonly key: ServicePortKey;
  readonly slices: readonly EndpointSliceView[];
  readonly node: NodeFacts;
  readonly nodeAddress: string | undefined;
}

function renderPort(context: PortContext): readonly Element[] {
  const { service, port, key, slices, node, nodeAddress } = context;
  const { family } = key.address;
  const forwarding = forwardingOf(service, port, nodeAddress !== undefined);
  if (forwarding === "kube-proxy") return [];
  const localOnly = service.externalTrafficPolicy === "Local";
  const query = { family, port, node, localOnly };
  const endpoints = usableEndpoints(slices, query);
  // Endpoints of a Service that another service proxy serves are not watched: that there are none is not known.
  if (endpoints.length === 0 && service.labels[serviceProxyNameLabel] !== undefined) return [];
  const unserved =
    endpoints.length === 0 && (!localOnly || usableEndpoints(slices, { ...query, localOnly: false }).length === 0);
  const refusal: readonly Element[] = unserved
    ? [{ family: nftFamilies[family], set: "no_endpoint_services", key }]
    : [];
  // Also without ready endpoints: an open connection must be rewritten as long as its pod, ready or not, answers.
  if (forwarding === "nodeport") return [...refusal, ...renderNodePort(context)];
  return endpoints.length > 0 ? renderEndpoints(context, endpoints) : refusal;
}

function renderNodePort({ port: { nodePort }, key }: PortContext): readonly Element[] {
  const family = nftFamilies[key.address.family];
  const reply = { protocol: key.protocol, nodePort };
  return [
    { family, set: "node_ports", key, value: { nodePort } },
    { family, set: "reply_addresses", key: reply, value: { address: key.address } },
    { family, set: "reply_ports", key: reply, value: { port: key.port } },
  ];
}

function renderEndpoints(
  { service, key, node }: PortContext,
  endpoints: readonly UsableEndpoint[],
): readonly Element[] {
  const family = nftFamilies[key.address.family];
  const { address, protocol, port } = key;
  const values = endpoints.map((one) => ({ address: one.address, port: one.port }));
  const set = protocol === "udp" ? "udp_endpoints" : "tcp_endpoints";
  const affinity = service.affinityTimeoutSeconds !== undefined;
  const entries = affinity ? bucketsOf(values, node.hashSeed) : values;
  const pick = { by: affinity ? "client" : "flow", count: entries.length, seed: node.hashSeed } as const;
  return [
    { family, set: "dnat_services", key, value: pick },
    ...entries.map((value, index): Element => ({ family, set, key: { address, port, index }, value })),
    ...(service.affinityTimeoutSeconds === undefined
      ? []
      : affinityElements(key, values, service.affinityTimeoutSeconds)),
    ...endpoints.flatMap(({ local }, index): readonly Element[] => {
      const endpoint = values[index];
      if (local || endpoint === undefined) return [];
      return [{ family, set: "remote_endpoints", key: { address, protocol, endpoint } }];
    }),
  ];
}

function affinityElements(
  key: ServicePortKey,
  endpoints: readonly EndpointAddress[],
  timeoutSeconds: number,
): readonly Element[] {
  const family = nftFamilies[key.address.family];
  return [
    { family, set: "affinity_services", key, value: { timeoutSeconds } },
    ...endpoints.map((endpoint): Element => ({ family, set: "affinity_endpoints", key: { ...key, endpoint } })),
  ];
}

/** The endpoint of each bucket. */
function bucketsOf(endpoints: readonly EndpointAddress[], seed: number): readonly EndpointAddress[] {
  const names = endpoints.map(({ address, port }) => `${formatAddress(address)} ${port}`);
  return assignBuckets(names, seed).flatMap((index) => endpoints[index] ?? []);
}
