import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";
import type { AllocationCase, NodeData } from "./allocation-case.ts";

const edge = { name: "edge", spec: { nodeAddresses: {} } };
const lan = { name: "lan", addresses: ["192.0.2.10"] };
const n1: NodeData = { name: "n1", addresses: ["203.0.113.1", "2001:db8::1"] };
const n2: NodeData = { name: "n2", addresses: ["203.0.113.2"] };
const nodes = [n1, n2];
const inPool = { annotations: { "bellhop.dev/pool": "edge" } };
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

export const nodeAddressCases: readonly AllocationCase[] = [
  { name: "a Service gets the addresses of every node", pools: [edge], nodes, assigns: bothNew },
  {
    name: "of each of its families",
    pools: [edge],
    nodes,
    service: { families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
    assigns: [...bothNew, "2001:db8::1 new from edge"],
  },
  {
    name: "only of the nodes that a selector of the pool matches",
    pools: [{ name: "edge", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { edge: "yes" } }] } } }],
    nodes: [n1, { ...n2, labels: { edge: "yes" } }],
    assigns: ["203.0.113.2 new from edge"],
  },
  {
    name: "a node of two pools belongs to the older",
    pools: [edge, { name: "also", spec: { nodeAddresses: {} } }],
    nodes,
    assigns: bothNew,
  },
  {
    name: "two nodes with one address have it once",
    pools: [edge],
    nodes: [n1, { name: "n3", addresses: ["203.0.113.1", "203.0.113.2"] }],
    assigns: bothNew,
  },
  {
    name: "of two nodes with one address the ready one counts, in whichever pool it is",
    pools: [
      { name: "first", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { a: "yes" } }] } } },
      { name: "edge", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { b: "yes" } }] } } },
    ],
    nodes: [
      { ...n1, labels: { a: "yes" }, ready: false },
      { name: "n3", addresses: ["203.0.113.1"], labels: { b: "yes" } },
    ],
    assigns: ["203.0.113.1 new from edge"],
  },
  {
    name: "nodes that are not ready are left out",
    pools: [edge],
    nodes: [n1, { ...n2, ready: false }],
    assigns: ["203.0.113.1 new from edge"],
  },
  {
    name: "but where none is ready all count",
    pools: [edge],
    nodes: [
      { ...n1, ready: false },
      { ...n2, ready: false },
    ],
    assigns: bothNew,
  },
  {
    name: "excluded nodes never count",
    pools: [edge],
    nodes: [n1, { ...n2, excluded: true }],
    assigns: ["203.0.113.1 new from edge"],
  },
  {
    name: "under Local only nodes with ready endpoints count",
    pools: [edge],
    nodes,
    readyNodes: ["n2"],
    service: { local: true },
    assigns: ["203.0.113.2 new from edge"],
  },
  {
    name: "a pool of addresses whose name comes first is tried first",
    pools: [edge, { ...lan, name: "a" }],
    nodes,
    assigns: ["192.0.2.10 new from a"],
  },
  {
    name: "the named pool counts, whichever comes first",
    pools: [{ ...lan, name: "a" }, edge],
    nodes,
    service: inPool,
    assigns: bothNew,
  },
  {
    name: "a single node may be requested",
    pools: [edge],
    nodes,
    service: { loadBalancerIP: "203.0.113.2" },
    assigns: ["203.0.113.2 new from edge"],
  },
  {
    name: "addresses of nodes that the Service shows already are taken over, and the others added",
    pools: [{ ...lan, name: "a" }, edge],
    nodes,
    service: { shows: ["203.0.113.1"] },
    assigns: bothNew,
  },
  {
    name: "a Service with an address of another kind keeps it",
    pools: [edge, lan],
    nodes,
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "a Service with an address of another kind moves to the pool of nodes that it names",
    pools: [edge, lan],
    nodes,
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { ...inPool, shows: ["192.0.2.10"], ours: true },
    assigns: bothNew,
  },
  {
    name: "Services join others on the nodes while their ports differ, without a sharing key",
    pools: [edge],
    nodes: [n1],
    claims: [claim("203.0.113.1", "n1", user("first", ["81/TCP", "80/UDP"]))],
    assigns: ["203.0.113.1 joins from edge"],
  },
];
