import type { AllocationCase } from "./allocation-case.ts";

const inPool = (name: string) => ({ annotations: { "bellhop.dev/pool": name } });
const lan = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] };

/** An address in the status that no VirtualIP claims for the Service. */
export const adoptedCases: readonly AllocationCase[] = [
  {
    name: "an address that a pool has is adopted, even if another program showed it",
    service: { shows: ["192.0.2.12"] },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "one that is not shown in canonical form is adopted too",
    pools: [{ name: "six", addresses: ["2001:db8::/64"] }],
    service: { families: ["IPv6"], shows: ["2001:DB8::0:12"] },
    assigns: ["2001:db8::12 new from six"],
  },
  {
    name: "one that no pool has is adopted where we assigned it",
    service: { shows: ["198.51.100.1"], ours: true },
    assigns: ["198.51.100.1 new"],
  },
  {
    name: "and counts as being from the pool that the Service names",
    service: { shows: ["198.51.100.1"], ours: true, ...inPool("lan") },
    assigns: ["198.51.100.1 new from lan"],
  },
  {
    name: "one that no pool has and that somebody else showed is not adopted",
    service: { shows: ["198.51.100.1"] },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "one of another pool than the named one is not adopted",
    pools: [lan, { name: "web", addresses: ["192.0.2.20"] }],
    service: { shows: ["192.0.2.12"], ours: true, ...inPool("web") },
    assigns: ["192.0.2.20 new from web"],
  },
  {
    name: "one that a Node uses is not adopted",
    blocked: { "the address of Node n1": ["192.0.2.12"] },
    service: { shows: ["192.0.2.12"], ours: true },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "one that another Service has is not adopted",
    claims: [{ address: "192.0.2.12", pool: "lan", services: ["first"] }],
    service: { shows: ["192.0.2.12"], ours: true },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "one that the user reserves is not adopted",
    claims: [{ address: "192.0.2.12", reservation: true }],
    service: { shows: ["192.0.2.12"], ours: true },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "one of a draining pool is adopted",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    service: { shows: ["192.0.2.12"], ours: true },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "a requested address that the Service shows is adopted though no pool has it",
    service: { loadBalancerIP: "198.51.100.1", shows: ["198.51.100.1"], ours: true },
    assigns: ["198.51.100.1 new"],
  },
  {
    name: "a host name in the status is not an address",
    service: { shows: ["lb.example.org"] },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "one that no pool has is not adopted for our finalizer alone, which others write too",
    service: { shows: ["198.51.100.1"], finalizer: true },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "nor for our condition alone",
    service: { shows: ["198.51.100.1"], condition: true },
    assigns: ["192.0.2.10 new from lan"],
  },
];
