import { forwardings } from "../api/ip-address-pool.ts";
import { forwardingAnnotation } from "../api/labels.ts";
import type { ServicePort, ServiceView } from "./service.ts";
import { decideSetting, type ServiceSetting } from "./service-setting.ts";

/**
 * How packets for a port of a Service are delivered: by kube-proxy's own rules for the address, without nat of ours; straight to pods; or
 * with a rewrite to the node port of the node that they arrive at.
 */
export type Forwarding = (typeof forwardings)[number];

/** Why a port is delivered as it is. */
export type ForwardingCause =
  /** The annotation requests it. */
  | "requested"
  /** The pool of the address says so, and the Service has no annotation. */
  | "pool"
  /** SCTP: its checksum covers the ports, and nftables cannot keep it right. */
  | "sctp"
  /** The port has no node port. */
  | "no node port"
  /** `nodeport` is requested, but this node cannot take the port's node port for this address. */
  | "node port not usable"
  /** kube-proxy may not have the port, the address or the first endpoint yet. */
  | "kube-proxy late"
  /** kube-proxy's rules may lead to an endpoint on a node that is dead. */
  | "dead node"
  /** The port has a node port, and kube-proxy's rules for the address are those of the node port. */
  | "node port";

export interface ForwardingDecision {
  readonly way: Forwarding;
  readonly cause: ForwardingCause;
}

/** What the way of a port depends on, besides the Service. */
export interface ForwardingFacts {
  /** Whether the node has the address on which kube-proxy serves node ports, and a node port can lead back to the address of the Service. */
  readonly nodePortUsable: boolean;
  /** Whether kube-proxy may lack something of the port that changed a short time ago. */
  readonly kubeProxyLate: boolean;
  /** Whether what it may lack is that endpoints on a dead node are gone. Missing: it is not. */
  readonly afterDeath?: boolean;
  /** Whether an endpoint that kube-proxy may choose is on a dead node. Missing: none is. */
  readonly deadEndpoints?: boolean;
  /** Whether the node cannot see which endpoint its service proxy chooses. Missing: it can. */
  readonly hiddenChoices?: boolean;
  /** What holds for the address where the Service requests nothing: `spec.forwarding` of its pool, or of the reservation. Missing: nothing. */
  readonly poolForwarding?: Forwarding | undefined;
}

/** Set by the annotation, or by `spec.forwarding` of the pool or of the reservation. */
export const forwardingSetting: ServiceSetting<Forwarding> = { annotation: forwardingAnnotation, values: forwardings };

/** Undefined for any other text, as a later version may write it. */
export function parseForwarding(text: string | undefined): Forwarding | undefined {
  return forwardings.find((word) => word === text);
}

/**
 * The way for one port, for new connections: open ones stay on theirs, as long as it is not a rewrite to a node port. Pure, and the only
 * place that decides it. `decideSetting` says whether the annotation or the pool counts.
 *
 * Until kube-proxy has caught up, connections to what is new go straight to pods, and so do all of a port that it may send to a dead node.
 *
 * With session affinity, what is new is left to kube-proxy: all clients would change their pod when it takes over. A dead node is not: the node has
 * learned whom kube-proxy sent where, so that the clients of living pods keep theirs. Where it cannot learn that, kube-proxy alone chooses.
 */
export function decideForwarding(
  service: ServiceView,
  { protocol, nodePort }: ServicePort,
  facts: ForwardingFacts,
): ForwardingDecision {
  const { nodePortUsable, kubeProxyLate, afterDeath, deadEndpoints, hiddenChoices, poolForwarding } = facts;
  const { value: requested, own } = decideSetting(service, forwardingSetting, poolForwarding);
  const cause = own ? "requested" : "pool";
  if (protocol === "SCTP") return { way: "kube-proxy", cause: "sctp" };
  if (requested === "kube-proxy" || requested === "pods") return { way: requested, cause };
  if (nodePort === 0) return { way: "pods", cause: "no node port" };
  if (requested === "nodeport")
    return nodePortUsable ? { way: "nodeport", cause } : { way: "pods", cause: "node port not usable" };
  const sticky = service.affinityTimeoutSeconds !== undefined;
  if (sticky && hiddenChoices === true) return { way: "kube-proxy", cause: "node port" };
  if (deadEndpoints === true) return { way: "pods", cause: "dead node" };
  const late = kubeProxyLate && (!sticky || afterDeath === true);
  return late ? { way: "pods", cause: "kube-proxy late" } : { way: "kube-proxy", cause: "node port" };
}
