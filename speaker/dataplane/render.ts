import { compareAddresses, formatAddress, type IpAddress, type IpFamily } from "../../src/ip/address.ts";
import { formatRange } from "../../src/ip/range.ts";
import { type EndpointSliceView, serviceProxyNameLabel } from "../../src/model/endpoint-slice.ts";
import { forwardingAnnotation, forwardingOf, wantedForwarding } from "../../src/model/forwarding.ts";
import type { ServicePort, ServiceView } from "../../src/model/service.ts";
import type { NftFamily } from "../../src/nft/transaction.ts";
import { readSourceRanges } from "./source-ranges.ts";
import { nftFamilies, pickChain, type SetName } from "./tables.ts";
import { type Target, usableTargets } from "./usable-endpoints.ts";

/** An element that should be in one of our sets or maps; `value` is empty in sets. */
export interface Element {
  readonly family: NftFamily;
  readonly set: SetName;
  readonly key: string;
  readonly value: string;
}

/** What of this node the rules depend on. */
export interface NodeFacts {
  readonly name: string;
  /** Where kube-proxy takes node ports. */
  readonly addresses: Readonly<Record<IpFamily, string | undefined>>;
}

/** Something in an object that is not as it should be; traffic is handled as the docstring of the reader says. */
export interface Problem {
  readonly object: string;
  readonly field: string;
  readonly value: string;
  readonly reason: string;
}

export interface Rendering {
  readonly elements: readonly Element[];
  readonly problems: readonly Problem[];
}

/**
 * The elements for one Service with its addresses on this node. Pure. A port that no endpoint in the cluster serves is refused. One
 * with endpoints on other nodes alone gets no pods under externalTrafficPolicy Local, so that kube-proxy's own rules for the
 * address or the node port drop. Source ranges hold all the same.
 */
export function renderService(
  service: ServiceView,
  slices: readonly EndpointSliceView[],
  addresses: readonly IpAddress[],
  node: NodeFacts,
): Rendering {
  const elements: Element[] = [];
  const problems: Problem[] = [];
  const ranges = readSourceRanges(service.sourceRanges);
  for (const value of ranges.garbage) {
    problems.push({ object: service.key, field: "loadBalancerSourceRanges", value, reason: "NotACidr" });
  }
  if (wantedForwarding(service) === "invalid") {
    const value = service.annotations[forwardingAnnotation] ?? "";
    problems.push({ object: service.key, field: forwardingAnnotation, value, reason: "UnknownForwarding" });
  }
  const seen = new Set<IpFamily>();
  for (const address of [...addresses].sort(compareAddresses)) {
    const { family } = address;
    // A node port leads back to one address of each family; further ones go to the pods.
    const nodeAddress = seen.has(family) ? undefined : node.addresses[family];
    seen.add(family);
    const text = formatAddress(address);
    const add = (set: SetName, key: string, value = "") =>
      elements.push({ family: nftFamilies[family], set, key, value });
    add("addresses", text);
    for (const port of service.ports) {
      const key = `${text} . ${port.protocol.toLowerCase()} . ${port.port}`;
      const allowed = ranges.allowed[family];
      if (allowed !== undefined) {
        add("restricted", key);
        for (const range of allowed) add("allowed", `${key} . ${formatRange(range)}`);
      }
      renderPort({ service, port, key, text, family, slices, node, nodeAddress, add });
    }
  }
  return { elements, problems };
}

interface PortContext {
  readonly service: ServiceView;
  readonly port: ServicePort;
  /** address . protocol . port */
  readonly key: string;
  /** The address. */
  readonly text: string;
  readonly family: IpFamily;
  readonly slices: readonly EndpointSliceView[];
  readonly node: NodeFacts;
  readonly nodeAddress: string | undefined;
  readonly add: (set: SetName, key: string, value?: string) => void;
}

function renderPort(context: PortContext): void {
  const { service, port, key, slices, family, node, nodeAddress, add } = context;
  const forwarding = forwardingOf(service, port, nodeAddress !== undefined);
  if (forwarding === "kube-proxy") return;
  const localOnly = service.externalTrafficPolicy === "Local";
  const query = { family, port, nodeName: node.name, localOnly };
  const targets = usableTargets(slices, query);
  // Endpoints of a Service that another service proxy serves are not watched: that there are none is not known.
  if (targets.length === 0 && service.labels[serviceProxyNameLabel] !== undefined) return;
  if (targets.length === 0) {
    const unserved = !localOnly || usableTargets(slices, { ...query, localOnly: false }).length === 0;
    if (unserved) add("refused", key);
  }
  // Also without endpoints: a connection that runs must be rewritten as long as its pod, ready or not, answers.
  if (forwarding === "nodeport") renderNodePort(context);
  else if (targets.length > 0) renderPods(context, targets);
}

function renderNodePort({ port, key, text, add }: PortContext): void {
  const reply = `${port.protocol.toLowerCase()} . ${port.nodePort}`;
  add("node_ports", key, String(port.nodePort));
  add("reply_addresses", reply, text);
  add("reply_ports", reply, String(port.port));
}

function renderPods({ service, port, key, text, add }: PortContext, targets: readonly Target[]): void {
  const pick = service.affinityTimeoutSeconds === undefined ? "random" : "client";
  const protocol = port.protocol === "UDP" ? "udp" : "tcp";
  add("pod_ports", key, `goto ${pickChain(pick, targets.length)}`);
  for (const [slot, target] of targets.entries()) {
    add(`${protocol}_pods`, `${text} . ${port.port} . ${slot}`, `${target.address} . ${target.port}`);
    if (!target.local) add("remote_pods", `${text} . ${protocol} . ${target.address} . ${target.port}`);
  }
}
