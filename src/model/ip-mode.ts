import { ipModes } from "../api/ip-address-pool.ts";
import { ipModeAnnotation } from "../api/labels.ts";
import { decideForwarding, type Forwarding } from "./forwarding.ts";
import { annotationField, type Reason, reasonOf, serviceObject } from "./reason.ts";
import type { IngressEntry, ServiceView } from "./service.ts";
import { decideSetting, type ServiceSetting } from "./service-setting.ts";

/**
 * What `status.loadBalancer.ingress[].ipMode` says of an address (KEP 1860). `VIP`: service proxies serve clients in the cluster by rules of
 * their own for the address. `Proxy`: they have no rules for it.
 */
export type IpMode = (typeof ipModes)[number];

/** Set by the annotation, or by `spec.ipMode` of the pool. */
export const ipModeSetting: ServiceSetting<IpMode> = { annotation: ipModeAnnotation, values: ipModes };

/** What the pool of an address sets. Missing: nothing. */
export interface PoolModes {
  /** See `ForwardingFacts`. */
  readonly forwarding?: Forwarding | undefined;
  readonly ipMode?: IpMode | undefined;
  /** Whether it is a node's own address, which only kube-proxy serves. Missing: it is not. */
  readonly isNodeAddress?: boolean;
}

export interface IpModeDecision {
  readonly mode: IpMode;
  /** Why it is not the requested one. */
  readonly reason?: Reason;
}

/**
 * The mode of one address. Pure. Without rules of service proxies, only node ports lead to the pods. So `Proxy` holds only where every port of
 * the Service is forwarded by its node port.
 */
export function decideIpMode(
  service: ServiceView,
  { forwarding: poolForwarding, ipMode, isNodeAddress = false }: PoolModes,
): IpModeDecision {
  const { value, own } = decideSetting(service, ipModeSetting, ipMode);
  if (value !== "Proxy") return { mode: "VIP" };
  const facts = { nodePortUsable: true, kubeProxyLate: false, poolForwarding };
  const others = service.ports.filter(
    (port) => isNodeAddress || decideForwarding(service, port, facts).way !== "nodeport",
  );
  if (others.length === 0) return { mode: "Proxy" };
  const field = own ? annotationField(ipModeAnnotation) : "spec.ipMode of its pool";
  const ports = others.map(({ port, protocol }) => `${port}/${protocol}`).join(", ");
  return {
    mode: "VIP",
    reason: reasonOf("IpModeProxyWithoutNodePort", { object: serviceObject(service), field, value: ports }),
  };
}

/** Whether the status of the Service shows the address, as text, with the mode Proxy: then service proxies have no rules for it. */
export function isShownAsProxy({ ingress }: { readonly ingress: readonly IngressEntry[] }, address: string): boolean {
  return ingress.some(({ ip, ipMode }) => ip === address && ipMode === "Proxy");
}
