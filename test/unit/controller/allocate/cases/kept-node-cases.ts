import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";
import type { AllocationCase, NodeData } from "./allocation-case.ts";

const edge = { name: "edge", spec: { nodeAddresses: {} } };
const lan = { name: "lan", addresses: ["192.0.2.10"] };
const n1: NodeData = { name: "n1", addresses: ["203.0.113.1", "2001:db8::1"] };
const n2: NodeData = { name: "n2", addresses: ["203.0.113.2"] };
const nodes = [n1, n2];

function user(name: string, ports: readonly string[]): ServiceReference {
  return { namespace: "default", name, uid: `${name}-uid`, sharing: { key: "", ports: [...ports], backends: "" } };
}

const claim = (address: string, node: string, ...services: readonly ServiceReference[]) => ({
  address,
  node,
  pool: "edge",
  services,
});

const mine = [claim("203.0.113.1", "n1", user("web", ["80/TCP"])), claim("203.0.113.2", "n2", user("web", ["80/TCP"]))];
const bothCurrent = ["203.0.113.1 current from edge", "203.0.113.2 current from edge"];

export const keptNodeCases: readonly AllocationCase[] = [
  { name: "what the Service has stays", pools: [edge], nodes, claims: mine, assigns: bothCurrent },
  {
    name: "a node that comes is added",
    pools: [edge],
    nodes: [...nodes, { name: "n3", addresses: ["203.0.113.3"] }],
    claims: mine,
    assigns: [...bothCurrent, "203.0.113.3 new from edge"],
  },
  {
    name: "a node that goes is not kept",
    pools: [edge],
    nodes: [n1],
    claims: mine,
    assigns: ["203.0.113.1 current from edge"],
  },
  { name: "a deleted pool takes nothing away", pools: [], nodes, claims: mine, assigns: bothCurrent },
  {
    name: "a draining pool takes nothing away, and adds nothing",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, state: "Draining" } }],
    nodes: [...nodes, { name: "n3", addresses: ["203.0.113.3"] }],
    claims: mine,
    assigns: bothCurrent,
  },
  {
    name: "a pool that no longer admits the Service takes nothing away",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, serviceAllocation: { namespaces: ["shop"] } } }],
    nodes,
    claims: mine,
    assigns: bothCurrent,
  },
  {
    name: "under Local what the Service has stays while no node has ready endpoints",
    pools: [edge],
    nodes,
    claims: mine,
    service: { local: true },
    assigns: bothCurrent,
  },
  {
    name: "a Service that has nodes keeps those where no other Service has its port",
    pools: [edge],
    nodes,
    claims: [
      claim("203.0.113.1", "n1", user("web", ["80/TCP"])),
      claim("203.0.113.2", "n2", user("first", ["80/TCP"])),
    ],
    assigns: ["203.0.113.1 current from edge"],
    refuses: {
      code: "NodeAddressPortTaken",
      field: "spec.ports",
      value: "80/TCP",
      names: ["default/first", "Node n2"],
    },
  },
  {
    name: "one that changes to a port of another yields everywhere",
    pools: [edge],
    nodes: [n1],
    claims: [claim("203.0.113.1", "n1", user("web", ["81/TCP"]), user("first", ["80/TCP"]))],
    assigns: [],
    refuses: { code: "NodeAddressPortTaken", field: "spec.ports", value: "80/TCP", names: ["default/first"] },
  },
  {
    name: "one that has had a port since before it was reserved keeps it",
    pools: [{ name: "edge", spec: { nodeAddresses: { reservedPorts: ["80/TCP"] } } }],
    nodes,
    claims: mine,
    assigns: bothCurrent,
    refuses: { code: "NodeAddressPortReserved", field: "spec.ports", value: "80/TCP", names: ["edge"] },
  },
  {
    name: "one that has had a port since before the pool stopped allowing it keeps it",
    pools: [{ name: "edge", spec: { nodeAddresses: { allowedPorts: ["443/TCP"] } } }],
    nodes,
    claims: mine,
    assigns: bothCurrent,
    refuses: { code: "NodeAddressPortNotAllowed", field: "spec.ports", value: "80/TCP", names: ["edge"] },
  },
  {
    name: "one that changes to a reserved port does not get it",
    pools: [{ name: "edge", spec: { nodeAddresses: { allowedPorts: ["22/TCP"], reservedPorts: ["22/TCP"] } } }],
    nodes,
    claims: mine,
    service: { ports: ["22/TCP"] },
    assigns: [],
    refuses: { code: "NodeAddressPortReserved", field: "spec.ports", value: "22/TCP" },
  },
  {
    name: "a requested single node is all that the Service keeps",
    pools: [edge],
    nodes,
    claims: mine,
    service: { loadBalancerIP: "203.0.113.2" },
    assigns: ["203.0.113.2 current from edge"],
  },
  {
    name: "with an unreadable request the Service keeps its nodes",
    pools: [edge],
    nodes,
    claims: mine,
    service: { loadBalancerIP: "none" },
    assigns: bothCurrent,
    refuses: { code: "RequestedAddressInvalid", field: "spec.loadBalancerIP", value: "none" },
  },
  {
    name: "a Service moves from nodes to the pool of addresses that it names",
    pools: [edge, lan],
    nodes,
    claims: mine,
    service: { annotations: { "bellhop.dev/pool": "lan" } },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "without their pool the addresses of nodes that are gone are not kept",
    pools: [],
    nodes: [n1],
    claims: mine,
    assigns: ["203.0.113.1 current from edge"],
  },
  {
    name: "nor those where another Service has the port",
    pools: [],
    nodes,
    claims: [
      claim("203.0.113.1", "n1", user("web", ["80/TCP"])),
      claim("203.0.113.2", "n2", user("web", ["81/TCP"]), user("first", ["80/TCP"])),
    ],
    assigns: ["203.0.113.1 current from edge"],
  },
  {
    name: "where its nodes are in two pools now, the pool that they were taken from has the Service",
    pools: [
      { name: "also", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { also: "yes" } }] } } },
      { name: "edge", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { edge: "yes" } }] } } },
    ],
    nodes: [
      { ...n1, labels: { also: "yes" } },
      { ...n2, labels: { edge: "yes" } },
    ],
    claims: mine,
    assigns: ["203.0.113.2 current from edge"],
  },
  {
    name: "a Service with addresses of both kinds keeps those of pools with a refused request",
    pools: [edge, lan],
    nodes,
    claims: [
      { address: "192.0.2.10", pool: "lan", services: ["web"] },
      claim("2001:db8::1", "n1", user("web", ["80/TCP"])),
    ],
    service: { loadBalancerIP: "none", families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "RequestedAddressInvalid", field: "spec.loadBalancerIP", value: "none" },
  },
];
