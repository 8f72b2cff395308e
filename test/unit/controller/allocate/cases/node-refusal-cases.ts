import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";
import type { AllocationCase, NodeData } from "./allocation-case.ts";

const edge = { name: "edge", spec: { nodeAddresses: {} } };
const lan = { name: "lan", addresses: ["192.0.2.10"] };
const n1: NodeData = { name: "n1", addresses: ["203.0.113.1", "2001:db8::1"] };
const n2: NodeData = { name: "n2", addresses: ["203.0.113.2"] };
const nodes = [n1, n2];
const inPool = { annotations: { "bellhop.dev/pool": "edge" } };
const unnamed = { field: "spec.ipFamilies", value: "IPv4" } as const;
const named = { field: "metadata.annotations[bellhop.dev/pool]", value: "edge" } as const;
const bothNew = ["203.0.113.1 new from edge", "203.0.113.2 new from edge"];

function user(name: string, ports: readonly string[]): ServiceReference {
  return { namespace: "default", name, uid: `${name}-uid`, sharing: { key: "", ports: [...ports], backends: "" } };
}

const claim = (address: string, node: string, ...services: readonly ServiceReference[]) => ({
  address,
  node,
  pool: "edge",
  services,
});

export const nodeRefusalCases: readonly AllocationCase[] = [
  {
    name: "a port that another Service has on any node keeps a new Service waiting",
    pools: [edge],
    nodes,
    claims: [claim("203.0.113.2", "n2", user("first", ["80/TCP"]))],
    assigns: [],
    refuses: {
      code: "NodeAddressPortTaken",
      field: "spec.ports",
      value: "80/TCP",
      names: ["default/first", "Node n2"],
    },
  },
  {
    name: "also where the pool is named",
    pools: [edge],
    nodes,
    claims: [claim("203.0.113.2", "n2", user("first", ["80/TCP"]))],
    service: inPool,
    assigns: [],
    refuses: { code: "NodeAddressPortTaken", field: "spec.ports", value: "80/TCP", names: ["default/first"] },
  },
  {
    name: "a node whose address the user reserves keeps a new Service waiting",
    pools: [edge],
    nodes,
    claims: [{ address: "203.0.113.2", reservation: true }],
    assigns: [],
    refuses: { code: "NodeAddressPortTaken", field: "spec.ports", value: "80/TCP", names: ["203.0.113.2"] },
  },
  {
    name: "a port that the pool does not allow",
    pools: [edge],
    nodes,
    service: { ports: ["80/TCP", "22/TCP"] },
    assigns: [],
    refuses: {
      code: "NodeAddressPortNotAllowed",
      field: "spec.ports",
      value: "22/TCP",
      names: ["edge", "80/TCP", "443/UDP"],
    },
  },
  ...["80/UDP", "443/SCTP", "8080/TCP"].map((port) => ({
    name: `by default ${port} is not allowed`,
    pools: [edge],
    nodes,
    service: { ports: [port] },
    assigns: [],
    refuses: { code: "NodeAddressPortNotAllowed", field: "spec.ports", value: port } as const,
  })),
  ...["22/TCP", "8000/TCP", "8100/TCP"].map((port) => ({
    name: `allowedPorts of the pool allows ${port}`,
    pools: [{ name: "edge", spec: { nodeAddresses: { allowedPorts: ["22/TCP", "8000-8100/TCP"] } } }],
    nodes,
    service: { ports: [port] },
    assigns: bothNew,
  })),
  {
    name: "allowedPorts replaces the ports that are usual",
    pools: [{ name: "edge", spec: { nodeAddresses: { allowedPorts: ["22/TCP"] } } }],
    nodes,
    assigns: [],
    refuses: { code: "NodeAddressPortNotAllowed", field: "spec.ports", value: "80/TCP", names: ["22/TCP"] },
  },
  {
    name: "reservedPorts excludes ports of a range",
    pools: [{ name: "edge", spec: { nodeAddresses: { allowedPorts: ["1-9000/TCP"], reservedPorts: ["22/TCP"] } } }],
    nodes,
    service: { ports: ["22/TCP"] },
    assigns: [],
    refuses: {
      code: "NodeAddressPortReserved",
      field: "spec.ports",
      value: "22/TCP",
      names: ["edge", "reservedPorts"],
    },
  },
  ...[
    "10250/TCP",
    "10256/TCP",
    "6443/TCP",
    "2379/TCP",
    "2380/TCP",
    "9345/TCP",
    "53/UDP",
    "53/TCP",
    "179/TCP",
    "4789/UDP",
    "8472/UDP",
    "6081/UDP",
    "51820/UDP",
    "51871/UDP",
    "500/UDP",
    "4500/UDP",
    "7481/TCP",
    "7482/UDP",
    "30000/TCP",
    "32767/UDP",
    "31000/SCTP",
  ].map((port) => ({
    name: `${port} is never assigned, because the nodes need it`,
    pools: [
      { name: "edge", spec: { nodeAddresses: { allowedPorts: ["1-65535/TCP", "1-65535/UDP", "1-65535/SCTP"] } } },
    ],
    nodes,
    service: { ports: [port] },
    assigns: [],
    refuses: { code: "NodeAddressPortReserved", field: "spec.ports", value: port, names: ["Nodes use"] } as const,
  })),
  {
    name: "no node matches",
    pools: [{ name: "edge", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { edge: "yes" } }] } } }],
    nodes,
    assigns: [],
    refuses: { code: "NoNodeAddress", ...unnamed, names: ["edge"] },
  },
  {
    name: "no node has an address of the family",
    pools: [edge],
    nodes: [n2],
    service: { families: ["IPv6"] },
    assigns: [],
    refuses: { code: "NoNodeAddress", field: "spec.ipFamilies", value: "IPv6", names: ["edge"] },
  },
  {
    name: "a second family that no node has is not needed under PreferDualStack",
    pools: [edge],
    nodes: [n2],
    service: { families: ["IPv4", "IPv6"], policy: "PreferDualStack" },
    assigns: ["203.0.113.2 new from edge"],
    refuses: { code: "NoNodeAddress", field: "spec.ipFamilies", value: "IPv6" },
    satisfied: true,
  },
  {
    name: "but is under RequireDualStack",
    pools: [edge],
    nodes: [n2],
    service: { families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
    assigns: [],
    refuses: { code: "NoNodeAddress", field: "spec.ipFamilies", value: "IPv6" },
  },
  {
    name: "under Local no node has ready endpoints",
    pools: [edge],
    nodes,
    service: { local: true },
    assigns: [],
    refuses: { code: "NoNodeAddress", ...unnamed, names: ["edge", "default/web"] },
  },
  {
    name: "a requested node that is not ready",
    pools: [edge],
    nodes: [n1, { ...n2, ready: false }],
    service: { loadBalancerIP: "203.0.113.2" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field: "spec.loadBalancerIP", value: "203.0.113.2", names: ["edge"] },
  },
  {
    name: "a requested address that no node has",
    pools: [edge],
    nodes,
    service: { loadBalancerIP: "203.0.113.9" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field: "spec.loadBalancerIP", value: "203.0.113.9" },
  },
  {
    name: "the named pool does not admit the Service",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, serviceAllocation: { namespaces: ["shop"] } } }],
    nodes,
    service: inPool,
    assigns: [],
    refuses: { code: "PoolForbidsService", ...named, names: ["edge", "shop"] },
  },
  {
    name: "the named pool drains",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, state: "Draining" } }],
    nodes,
    service: inPool,
    assigns: [],
    refuses: { code: "PoolDraining", ...named, names: ["edge"] },
  },
  {
    name: "an exhausted pool of addresses is the reason, not a port on the nodes",
    pools: [{ ...lan, name: "a" }, edge],
    nodes,
    claims: [
      { address: "192.0.2.10", pool: "a", services: ["other"] },
      claim("203.0.113.1", "n1", user("first", ["80/TCP"])),
    ],
    assigns: [],
    refuses: { code: "PoolExhausted", ...unnamed, names: ["a"] },
  },
  {
    name: "a Service with an address of another kind that must leave it does not get nodes' addresses",
    pools: [edge, lan],
    nodes,
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { annotations: { "bellhop.dev/reassign": "1" }, shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "PoolExhausted", ...unnamed, names: ["lan"] },
  },
  {
    name: "a requested address of a node that is excluded from load balancing",
    pools: [edge],
    nodes: [n1, { ...n2, excluded: true }],
    service: { loadBalancerIP: "203.0.113.2" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field: "spec.loadBalancerIP", value: "203.0.113.2" },
  },
  {
    name: "a request of a node's address in one family and of a pool's address in the other",
    pools: [edge, { name: "six", addresses: ["2001:db8:1::/64"] }],
    nodes,
    service: {
      families: ["IPv6", "IPv4"],
      policy: "RequireDualStack",
      annotations: { "bellhop.dev/ips": "2001:db8:1::1,203.0.113.2" },
    },
    assigns: [],
    refuses: {
      code: "RequestedAddressNotInPool",
      field: "metadata.annotations[bellhop.dev/ips]",
      value: "203.0.113.2",
    },
  },
];
