import type { V1Service } from "@kubernetes/client-node";
import { ingressManager } from "../../../src/model/ingress-manager.ts";

/** What other load balancers leave on a Service, by which they are recognised. */
export interface ServiceMarks {
  /** Annotations, finalizers and labels whose names begin with a prefix of another load balancer. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Host names in the status, which no view contains. */
  readonly hostnames: readonly string[];
  /** The field manager that wrote the addresses in the status. Undefined: none is recorded. */
  readonly manager: string | undefined;
}

/** Of a Service on which no other load balancer has left anything. */
export const noMarks: ServiceMarks = { annotations: {}, finalizers: [], labels: {}, hostnames: [], manager: undefined };

export const serviceLbPrefix = "svccontroller.k3s.cattle.io/";
export const kubeVipPrefix = "kube-vip.io/";

const prefixes = [serviceLbPrefix, kubeVipPrefix, "metallb.io/", "metallb.universe.tf/"];
/** The label by which kube-vip-cloud-provider finds its Services (pkg/provider/loadBalancer.go). */
export const implementationLabel = "implementation";

export function marksOf({ metadata = {}, status }: V1Service): ServiceMarks {
  const isMarkName = (name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  const isMark = ([name]: readonly [string, string]): boolean => isMarkName(name);
  const labels = Object.entries(metadata.labels ?? {}).filter(
    (entry) => isMark(entry) || entry[0] === implementationLabel,
  );
  return {
    annotations: Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(isMark)),
    finalizers: (metadata.finalizers ?? []).filter(isMarkName),
    labels: Object.fromEntries(labels),
    hostnames: (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) =>
      ip === undefined && hostname !== undefined ? [hostname] : [],
    ),
    manager: ingressManager(metadata.managedFields ?? []),
  };
}
