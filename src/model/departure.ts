import type { V1Node } from "@kubernetes/client-node";

/** Why a node should announce no addresses as long as another one can: it is about to stop, or is kept free of work. */
export type Departure =
  | "Cordoned"
  | "Drained"
  | "NodeBeingDeleted"
  | "ScaledDown"
  | "ShuttingDown"
  | "ShutDown"
  | "OutOfService";

/** Taints that say so, and who sets them. */
const taints: ReadonlyMap<string, Departure> = new Map([
  // cluster-autoscaler, utils/taints/taints.go.
  ["ToBeDeletedByClusterAutoscaler", "ScaledDown"],
  // Karpenter, pkg/apis/v1/taints.go.
  ["karpenter.sh/disrupted", "ScaledDown"],
  // A user, for a node that is known to be off (k8s.io/api, core/v1/well_known_taints.go).
  ["node.kubernetes.io/out-of-service", "OutOfService"],
  // The node lifecycle controller of a cloud provider (k8s.io/cloud-provider, api/well_known_taints.go).
  ["node.cloudprovider.kubernetes.io/shutdown", "ShutDown"],
]);

/** What the kubelet says in the condition Ready during a graceful shutdown (pkg/kubelet/nodeshutdown). */
const shutdownMessage = "node is shutting down";

/** Pure. Undefined: the node stays. A node that is only cordoned still runs, so every other reason counts first. */
export function departureOf({ metadata, spec, status }: V1Node): Departure | undefined {
  if (metadata?.deletionTimestamp !== undefined) return "NodeBeingDeleted";
  for (const { key } of spec?.taints ?? []) {
    const departure = taints.get(key);
    if (departure !== undefined) return departure;
  }
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True" && ready?.message?.includes(shutdownMessage) === true) return "ShuttingDown";
  return spec?.unschedulable === true ? "Cordoned" : undefined;
}

/** How late a node comes when announcers are chosen: 0 first. A cordoned node still runs, so it comes before those that are about to stop. */
export function departureRank(departure: Departure | undefined): 0 | 1 | 2 {
  return departure === undefined ? 0 : departure === "Cordoned" ? 1 : 2;
}

const departureTexts: Readonly<Record<Departure, string>> = {
  Cordoned: "it is cordoned (spec.unschedulable of the Node)",
  Drained: "it is drained of addresses (bellhop undrain ends that)",
  NodeBeingDeleted: "its Node is being deleted",
  ScaledDown: "an autoscaler is about to remove it",
  ShuttingDown: "its kubelet reports that it is shutting down",
  ShutDown: "it has the taint node.cloudprovider.kubernetes.io/shutdown",
  OutOfService: "it has the taint node.kubernetes.io/out-of-service",
};

export function describeDeparture(departure: Departure): string {
  return departureTexts[departure];
}
