import { forwardingAnnotation } from "../api/labels.ts";
import type { ServicePort, ServiceView } from "./service.ts";

/** How packets for a port of a Service are delivered. `kube-proxy`: by kube-proxy's own rules for the address, without ours. */
export type Forwarding = "nodeport" | "pods" | "kube-proxy";

/** What the annotation requests: undefined where there is none, "invalid" where it is not one of the known words. */
export function requestedForwarding(service: ServiceView): Forwarding | "invalid" | undefined {
  const text = service.annotations[forwardingAnnotation]?.trim() ?? "";
  if (text === "") return undefined;
  if (text === "nodeport" || text === "pods" || text === "kube-proxy") return text;
  return "invalid";
}

/**
 * The way for one port. SCTP is always left to kube-proxy: its checksum covers the ports, and nftables cannot keep it right.
 * Without a node port, or without an address of this node for it, the way is `pods`. An invalid request is treated as not set.
 */
export function forwardingOf(service: ServiceView, port: ServicePort, nodePortReachable: boolean): Forwarding {
  const requested = requestedForwarding(service);
  if (port.protocol === "SCTP" || requested === "kube-proxy") return "kube-proxy";
  return port.nodePort === 0 || !nodePortReachable || requested === "pods" ? "pods" : "nodeport";
}
