import type { V1Node } from "@kubernetes/client-node";
import { parseAddress } from "../ip/address.ts";

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
  /** Why it takes no part in load balancing. Undefined: it takes part. */
  readonly exclusion: NodeExclusion | undefined;
  /** Whether its condition NetworkUnavailable is True: the network plug-in has not set up the routes to its pods. */
  readonly networkUnavailable: boolean;
  readonly ready: boolean;
}

/** `Label`: node.kubernetes.io/exclude-from-external-load-balancers. `Removal`: it is being deleted, or about to be by the autoscaler. */
export type NodeExclusion = "Label" | "Removal";

export const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";
const toBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

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
    exclusion: isBeingRemoved(raw)
      ? "Removal"
      : !ignoreExcludeLabel && isExcluded(raw.metadata?.labels?.[excludeLabel])
        ? "Label"
        : undefined,
    networkUnavailable: isTrue("NetworkUnavailable"),
    ready: isTrue("Ready"),
  });
}

function isBeingRemoved({ metadata, spec }: V1Node): boolean {
  return (
    metadata?.deletionTimestamp !== undefined || (spec?.taints ?? []).some((taint) => taint.key === toBeDeletedTaint)
  );
}

/** Kubernetes reads the value as a boolean; a value that is not a boolean, such as the empty text, means excluded. */
function isExcluded(value: string | undefined): boolean {
  return value !== undefined && !["0", "f", "F", "false", "False", "FALSE"].includes(value);
}
