import type { V1Node } from "@kubernetes/client-node";

/** What Bellhop needs of a Node, frozen. */
export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The first InternalIP of each family: where kube-proxy in nftables mode takes NodePorts. */
  readonly internalIPv4: string | undefined;
  readonly internalIPv6: string | undefined;
  readonly externalIPs: readonly string[];
  readonly podCIDRs: readonly string[];
  /** Labelled node.kubernetes.io/exclude-from-external-load-balancers, being deleted, or about to be by the autoscaler. */
  readonly excluded: boolean;
  readonly ready: boolean;
}

export const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";
const toBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

export function projectNode(raw: V1Node): NodeView {
  const addresses = raw.status?.addresses ?? [];
  const internal = addresses.filter((entry) => entry.type === "InternalIP").map((entry) => entry.address);
  return Object.freeze({
    name: raw.metadata?.name ?? "",
    labels: raw.metadata?.labels ?? {},
    internalIPv4: internal.find((address) => !address.includes(":")),
    internalIPv6: internal.find((address) => address.includes(":")),
    externalIPs: addresses.filter((entry) => entry.type === "ExternalIP").map((entry) => entry.address),
    podCIDRs: raw.spec?.podCIDRs ?? [],
    excluded:
      isExcluded(raw.metadata?.labels?.[excludeLabel]) ||
      raw.metadata?.deletionTimestamp !== undefined ||
      (raw.spec?.taints ?? []).some((taint) => taint.key === toBeDeletedTaint),
    ready: (raw.status?.conditions ?? []).some((entry) => entry.type === "Ready" && entry.status === "True"),
  });
}

/** Upstream reads the value as a boolean and takes what is no boolean, the empty text included, as excluded. */
function isExcluded(value: string | undefined): boolean {
  return value !== undefined && !["0", "f", "F", "false", "False", "FALSE"].includes(value);
}
