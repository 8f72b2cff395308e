import type { V1ServiceCIDR } from "@kubernetes/client-node";

/** Networks from which the API server takes cluster IPs (networking.k8s.io/v1, since Kubernetes 1.33), frozen. */
export interface ServiceCidrView {
  readonly name: string;
  readonly cidrs: readonly string[];
}

export function projectServiceCidr(raw: V1ServiceCIDR): ServiceCidrView {
  return Object.freeze({ name: raw.metadata?.name ?? "", cidrs: raw.spec?.cidrs ?? [] });
}
