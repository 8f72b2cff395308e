import type { AllocationCase } from "./allocation-case.ts";

const inPool = (name: string) => ({ annotations: { "bellhop.dev/pool": name } });
const lan = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] };
const one = { name: "lan", addresses: ["192.0.2.10"] };
const reference = { namespace: "default", name: "web" };
const heldForName = { address: "192.0.2.11", pool: "lan", services: [reference], held: true } as const;

/** holdAfterDelete. */
export const holdCases: readonly AllocationCase[] = [
  {
    name: "a Service of the name gets the held address",
    claims: [heldForName],
    assigns: ["192.0.2.11 joins from lan"],
  },
  {
    name: "also from a pool with autoAssign false",
    pools: [{ ...lan, spec: { autoAssign: false } }],
    claims: [heldForName],
    assigns: ["192.0.2.11 joins from lan"],
  },
  {
    name: "a Service of another name does not get it, also where nothing else is free",
    pools: [one],
    claims: [{ address: "192.0.2.10", pool: "lan", services: [{ namespace: "default", name: "first" }], held: true }],
    assigns: [],
    refuses: { code: "PoolExhausted", field: "spec.ipFamilies", value: "IPv4", names: ["lan"] },
  },
  {
    name: "and is refused when it requests it",
    claims: [{ address: "192.0.2.10", pool: "lan", services: [{ namespace: "default", name: "first" }], held: true }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: {
      code: "RequestedAddressTaken",
      field: "spec.loadBalancerIP",
      value: "192.0.2.10",
      names: ["default/first"],
    },
  },
  {
    name: "a Service of the name in another namespace does not get it",
    claims: [heldForName],
    service: { namespace: "shop" },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a Service of the name that requests another address gets that",
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.12" },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "a Service of the name that requests the held address gets it",
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: ["192.0.2.11 joins from lan"],
  },
  {
    name: "a Service of the name that names another pool gets an address there",
    pools: [lan, { name: "web", addresses: ["192.0.2.20"] }],
    claims: [heldForName],
    service: inPool("web"),
    assigns: ["192.0.2.20 new from web"],
  },
  {
    name: "a draining pool does not return a held address",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    claims: [heldForName],
    assigns: [],
    refuses: { code: "PoolDraining", field: "spec.ipFamilies", value: "IPv4", names: ["lan"] },
  },
  {
    name: "a pool that now avoids the held address does not return it, as if it were requested",
    pools: [{ name: "lan", addresses: ["192.0.2.254-192.0.3.1"], spec: { avoidBuggyIPs: true } }],
    claims: [{ ...heldForName, address: "192.0.2.255" }],
    assigns: ["192.0.2.254 new from lan"],
  },
  {
    name: "a pool that no longer admits the Service does not return it",
    pools: [{ ...lan, spec: { serviceAllocation: { namespaces: ["shop"] } } }],
    claims: [heldForName],
    assigns: [],
    refuses: { code: "NoPoolForService", field: "spec.ipFamilies", value: "IPv4", names: ["lan"] },
  },
  {
    name: "nor does one that no longer has the address",
    pools: [one],
    claims: [heldForName],
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "nor is it returned where a Node uses it then",
    claims: [heldForName],
    blocked: { "the address of Node n1": ["192.0.2.11"] },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a requested held address is returned",
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: ["192.0.2.11 joins from lan"],
  },
  {
    name: "a draining pool does not return a held address to a request either",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: [],
    refuses: { code: "PoolDraining", field: "spec.loadBalancerIP", value: "192.0.2.11", names: ["lan"] },
  },
  {
    name: "nor does a pool that no longer admits the Service",
    pools: [{ ...lan, spec: { serviceAllocation: { namespaces: ["shop"] } } }],
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: [],
    refuses: { code: "PoolForbidsService", field: "spec.loadBalancerIP", value: "192.0.2.11", names: ["lan"] },
  },
  {
    name: "nor is it returned to a request where a Node uses it then",
    claims: [heldForName],
    blocked: { "the address of Node n1": ["192.0.2.11"] },
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", field: "spec.loadBalancerIP", value: "192.0.2.11", names: ["Node n1"] },
  },
  {
    name: "nor where another Service shows it then",
    claims: [heldForName],
    shown: { "default/other": ["192.0.2.11"] },
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: [],
    refuses: {
      code: "RequestedAddressTaken",
      field: "spec.loadBalancerIP",
      value: "192.0.2.11",
      names: ["default/other"],
    },
  },
  {
    name: "nor from a pool that no longer has the address",
    pools: [one],
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.11" },
    assigns: [],
    refuses: { code: "RequestedAddressNotInPool", field: "spec.loadBalancerIP", value: "192.0.2.11" },
  },
  {
    name: "nor to a Service that names another pool as well",
    pools: [lan, { name: "web", addresses: ["192.0.2.20"] }],
    claims: [heldForName],
    service: { loadBalancerIP: "192.0.2.11", ...inPool("web") },
    assigns: [],
    refuses: { code: "RequestedAddressNotInNamedPool", field: "spec.loadBalancerIP", value: "192.0.2.11" },
  },
];
