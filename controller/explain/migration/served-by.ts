import { loadBalancerFinalizer, type ServiceView } from "../../../src/model/service.ts";
import { isAssignedByBellhop } from "../../allocate/claim/assigned-condition.ts";
import { type Claim, provesAssignment } from "../../allocate/claim/claim.ts";
import type { ServedBy } from "./migration-check.ts";
import { implementationLabel, kubeVipPrefix, type ServiceMarks, serviceLbPrefix } from "./service-marks.ts";

/** What is known of one Service besides its view. */
export interface RecognitionInput {
  readonly service: ServiceView;
  readonly marks: ServiceMarks;
  /** Claims that name it. */
  readonly claims: readonly Claim[];
  /** Whether ServiceLB has a DaemonSet for it. */
  readonly hasServiceLbDaemonSet: boolean;
}

/** The finalizer of ServiceLB in versions before it became a part of the cloud provider (k3s pkg/cloudprovider/servicelb.go). */
export const serviceLbFinalizer = `${serviceLbPrefix}daemonset`;
/** The default of kube-vip (pkg/kubevip, lbClassName). */
const kubeVipClass = "kube-vip.io/kube-vip-class";
/** MetalLB notes the pool of the address that it has assigned; the second name is that before version 0.14. */
const allocatedAnnotations = ["metallb.io/ip-allocated-from-pool", "metallb.universe.tf/ip-allocated-from-pool"];

/**
 * Which load balancer serves the Service now. The client that wrote the addresses counts first: annotations may be left from an earlier
 * load balancer. Undefined: the Service has no address, and nothing that a load balancer leaves.
 */
export function findServedBy({
  service,
  marks,
  claims,
  hasServiceLbDaemonSet,
}: RecognitionInput): ServedBy | undefined {
  const shows = service.ingress.length > 0;
  const { manager } = marks;
  if (claims.some((claim) => provesAssignment(claim, service))) return { name: "Bellhop", by: "a VirtualIP" };
  if (shows && isAssignedByBellhop(service)) return { name: "Bellhop", by: "its condition" };
  if (shows && manager?.startsWith("kube-vip")) return { name: "kube-vip", by: managerText(manager) };
  if (shows && manager?.startsWith("k3s")) return { name: "ServiceLB", by: managerText(manager) };
  if (hasServiceLbDaemonSet) return { name: "ServiceLB", by: "a DaemonSet svclb-…" };
  const allocated = allocatedAnnotations.find((name) => marks.annotations[name] !== undefined);
  if (allocated !== undefined) return { name: "MetalLB", by: `annotation ${allocated}` };
  const ofKubeVip = Object.keys(marks.annotations).find((name) => name.startsWith(kubeVipPrefix));
  if (ofKubeVip !== undefined) return { name: "kube-vip", by: `annotation ${ofKubeVip}` };
  if (marks.labels[implementationLabel] === "kube-vip")
    return { name: "kube-vip", by: `label ${implementationLabel}=kube-vip` };
  if (service.loadBalancerClass === kubeVipClass) return { name: "kube-vip", by: `class ${kubeVipClass}` };
  if (marks.finalizers.includes(serviceLbFinalizer))
    return { name: "ServiceLB", by: `finalizer ${serviceLbFinalizer}` };
  if (shows && manager !== undefined) return { name: "another", by: managerText(manager) };
  if (service.finalizers.includes(loadBalancerFinalizer))
    return { name: "another", by: `finalizer ${loadBalancerFinalizer}` };
  return shows ? { name: "another", by: "its status" } : undefined;
}

function managerText(manager: string): string {
  return `field manager ${manager}`;
}
