import type { V1Node } from "@kubernetes/client-node";
import { defaultKubeletPort } from "../api/speaker-identity.ts";
import { parseAddress } from "../ip/address.ts";
import { type Departure, departureOf } from "./departure.ts";

/** What Bellhop reads of a Node, frozen. */
export interface NodeView {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The first InternalIP of each family that is an address: where kube-proxy in nftables mode takes NodePorts. */
  readonly internalIPv4: string | undefined;
  readonly internalIPv6: string | undefined;
  /** All InternalIPs, in the order of the Node. */
  readonly internalIPs: readonly string[];
  readonly externalIPs: readonly string[];
  readonly podCIDRs: readonly string[];
  /** Whether it takes no part in load balancing: node.kubernetes.io/exclude-from-external-load-balancers. */
  readonly excluded: boolean;
  /** Why other nodes should announce its addresses. Undefined: it stays. */
  readonly departure: Departure | undefined;
  /** Whether its condition NetworkUnavailable is True: the network plug-in has not set up the routes to its pods. */
  readonly networkUnavailable: boolean;
  readonly ready: boolean;
  /** The TCP port of its kubelet. */
  readonly kubeletPort: number;
}

export const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

/** `ignoreExcludeLabel`: the label does not exclude a node. */
export function projectNode(raw: V1Node, ignoreExcludeLabel = false): NodeView {
  const addresses = raw.status?.addresses ?? [];
  const isTrue = (type: string): boolean =>
    (raw.status?.conditions ?? []).some((entry) => entry.type === type && entry.status === "True");
  const internal = addresses.filter((entry) => entry.type === "InternalIP").map((entry) => entry.address);
  return Object.freeze({
    name: raw.metadata?.name ?? "",
    uid: raw.metadata?.uid ?? "",
    labels: raw.metadata?.labels ?? {},
    internalIPv4: internal.find((address) => parseAddress(address)?.family === "IPv4"),
    internalIPv6: internal.find((address) => parseAddress(address)?.family === "IPv6"),
    internalIPs: internal,
    externalIPs: addresses.filter((entry) => entry.type === "ExternalIP").map((entry) => entry.address),
    podCIDRs: raw.spec?.podCIDRs ?? [],
    excluded: !ignoreExcludeLabel && isExcluded(raw.metadata?.labels?.[excludeLabel]),
    departure: departureOf(raw),
    networkUnavailable: isTrue("NetworkUnavailable"),
    ready: isTrue("Ready"),
    kubeletPort: kubeletPortOf(raw),
  });
}

/**
 * The field is absent before the kubelet has started, and the API server takes any number in it, which must not keep a speaker from writing where
 * it receives heartbeats.
 */
function kubeletPortOf(raw: V1Node): number {
  const port = raw.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  return port >= 1 && port <= 65_535 ? port : defaultKubeletPort;
}

/** Kubernetes reads the value as a boolean; a value that is not a boolean, such as the empty text, means excluded. */
function isExcluded(value: string | undefined): boolean {
  return value !== undefined && !["0", "f", "F", "false", "False", "FALSE"].includes(value);
}
