import { ServiceRules, type ServiceRulesOptions } from "../../../speaker/service-rules.ts";
import { type VirtualIP, virtualIpSchema } from "../../../src/api/virtual-ip.ts";
import { silentLogger } from "../../../src/log/log.ts";
import type { EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import type { NodeView } from "../../../src/model/node.ts";
import type { ServiceView } from "../../../src/model/service.ts";

type RulesOptions = Pick<ServiceRulesOptions, "dataplane" | "clock"> & Partial<Omit<ServiceRulesOptions, "watched">>;

/** The rules of Services on node n1. Objects are put into the maps, and are seen at their event. */
export function createServiceRules(options: RulesOptions) {
  const services = new Map<string, ServiceView>();
  const slices = new Map<string, EndpointSliceView>();
  const virtualIps = new Map<string, VirtualIP>();
  const nodes = new Map<string, NodeView>();
  const rules = new ServiceRules({
    node: "n1",
    answersPing: true,
    watched: {
      services: { views: services },
      slices: { views: slices },
      virtualIps: { views: virtualIps },
      nodes: { views: nodes },
    },
    isOnNode: () => true,
    kubeProxyDelayMs: 60_000,
    mayDropForwarded: () => false,
    hiddenChoices: () => false,
    tcpLoose: () => true,
    closedNodePorts: () => new Set(),
    changes: { rulesDue: () => undefined },
    random: () => 0.5,
    log: silentLogger,
    ...options,
  });
  /** An address of a Service in the namespace default; `forwarding`: what its reservation and its pool say. */
  const assign = (address: string, name: string, forwarding: { spec?: string; status?: string } = {}): void => {
    const spec = { address, services: [{ namespace: "default", name }], forwarding: forwarding.spec };
    const status = { forwarding: forwarding.status };
    virtualIps.set(address, virtualIpSchema.parse({ metadata: { name: address }, spec, status }));
    rules.virtualIpChanged(address);
  };
  return { services, slices, nodes, rules, assign };
}
