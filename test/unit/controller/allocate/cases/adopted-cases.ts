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
    name: "one that no pool has and that another client showed is not adopted",
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
  ...takenShown(),
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
  {
    name: "one that no pool has is not adopted where our condition names another one",
    service: { shows: ["198.51.100.1"], ours: true, assigned: ["192.0.2.12"] },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "nor where our condition says that the Service was refused",
    service: { shows: ["198.51.100.1"], finalizer: true, refused: true },
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "but where it says that the Service was refused and keeps the address",
    service: { shows: ["198.51.100.1"], finalizer: true, keeps: ["203.0.113.1", "198.51.100.1"] },
    assigns: ["198.51.100.1 new"],
  },
  ...adoptedByRefusals(),
  {
    name: "a refusal does not adopt an address of another family than the Service has, which stays blocked",
    service: { families: ["IPv6"], shows: ["192.0.2.12"] },
    assigns: [],
    refuses: { code: "NoPoolForService", field: "spec.ipFamilies", value: "IPv6" },
  },
];

/** Whatever a Service requests, the address that it shows is in a pool: another Service must not get it. */
function adoptedByRefusals(): readonly AllocationCase[] {
  const shows = ["192.0.2.12"];
  const assigns = ["192.0.2.12 new from lan"];
  const sharing = { key: "front", ports: ["80/TCP"], backends: "Cluster" };
  const first = { namespace: "default", name: "first", uid: "first-uid", sharing };
  const field = "annotation bellhop.dev/ips";
  const ips = "metadata.annotations[bellhop.dev/ips]";
  const requests = (text: string) => ({ annotations: { "bellhop.dev/ips": text } });
  return [
    {
      name: `a refusal adopts what is shown: ${field} is not an address`,
      service: { shows, ...requests("web") },
      assigns,
      refuses: { code: "RequestedAddressInvalid", field: ips, value: "web" },
    },
    {
      name: `a refusal adopts what is shown: ${field} is of no pool`,
      service: { shows, ...requests("198.51.100.1") },
      assigns,
      refuses: { code: "RequestedAddressNotInPool", field: ips, value: "198.51.100.1" },
    },
    {
      name: `a refusal adopts what is shown: ${field} is of another family`,
      service: { shows, ...requests("2001:db8::1") },
      assigns,
      refuses: { code: "RequestedAddressWrongFamily", field: ips, value: "2001:db8::1" },
    },
    {
      name: `a refusal adopts what is shown: ${field} has two of one family`,
      service: { shows, ...requests("192.0.2.10, 192.0.2.11") },
      assigns,
      refuses: { code: "RequestedAddressesAmbiguous", field: ips, value: "192.0.2.11" },
    },
    {
      name: "a refusal adopts what is shown: there is no such pool",
      service: { shows, ...inPool("other") },
      assigns,
      refuses: { code: "PoolNotFound", field: "metadata.annotations[bellhop.dev/pool]", value: "other" },
    },
    {
      name: "a refusal adopts what is shown: both families are required, and no pool has IPv6",
      service: { shows, families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
      assigns,
      refuses: { code: "NoPoolForService", field: "spec.ipFamilies", value: "IPv6" },
    },
    {
      name: "a refusal adopts what is shown: the requested address is not shared",
      claims: [{ address: "192.0.2.10", pool: "lan", services: [first] }],
      service: { shows, annotations: { "bellhop.dev/share": "back" }, loadBalancerIP: "192.0.2.10" },
      assigns,
      refuses: { code: "SharingKeyDiffers", field: "spec.loadBalancerIP", value: "192.0.2.10" },
    },
  ];
}

/** Addresses of a pool that another client assigned and that something uses, such as kube-vip, which puts them on an interface. */
function takenShown(): readonly AllocationCase[] {
  const about = { code: "ShownAddressTaken", field: "status.loadBalancer.ingress", value: "192.0.2.12" } as const;
  const sources = [
    "on an interface of Node n1",
    "the address of Node n1",
    "the default gateway of Node n1",
    "a network, broadcast or anycast address of the subnet of Node n1",
    "in spec.externalIPs of Service default/other",
  ];
  const blocked = { [sources[0] ?? ""]: ["192.0.2.12"] };
  const shows = { shows: ["192.0.2.12"], finalizer: true } as const;
  return [
    ...sources.map((source) => ({
      name: `one that another client assigned stays as it is while it is used elsewhere (${source})`,
      blocked: { [source]: ["192.0.2.12"] },
      service: shows,
      assigns: [],
      refuses: { ...about, names: [source] },
    })),
    {
      name: "one that the user keeps out of use stays as well",
      claims: [{ address: "192.0.2.12", reservation: true }],
      service: shows,
      assigns: [],
      refuses: { ...about, names: ["VirtualIP 192.0.2.12 reserves 192.0.2.12"] },
    },
    {
      name: "one that the user reserves for this Service is adopted",
      claims: [{ address: "192.0.2.12", reservation: true, services: [{ namespace: "default", name: "web" }] }],
      service: shows,
      assigns: ["192.0.2.12 current"],
    },
    {
      name: "one that another Service of ours has does not stay with two",
      claims: [{ address: "192.0.2.12", pool: "lan", services: ["first"] }],
      service: shows,
      assigns: ["192.0.2.10 new from lan"],
    },
    {
      name: "and so it stays after a refusal of ours",
      blocked,
      service: { ...shows, refused: true },
      assigns: [],
      refuses: about,
    },
    {
      name: "and so does the other family of a Service",
      blocked,
      pools: [lan, { name: "six", addresses: ["2001:db8::/64"] }],
      service: { ...shows, families: ["IPv6", "IPv4"], policy: "PreferDualStack" },
      assigns: [],
      refuses: about,
    },
    {
      name: "unless it requests another address",
      blocked,
      service: { ...shows, loadBalancerIP: "192.0.2.11" },
      assigns: ["192.0.2.11 new from lan"],
    },
    {
      name: "or another pool",
      blocked,
      pools: [lan, { name: "web", addresses: ["192.0.2.20"] }],
      service: { ...shows, ...inPool("web") },
      assigns: ["192.0.2.20 new from web"],
    },
    {
      name: "or just to leave it",
      blocked,
      service: { ...shows, annotations: { "bellhop.dev/reassign": "1" } },
      assigns: ["192.0.2.10 new from lan"],
    },
    {
      name: "what another client shows of no pool does not matter, used or not: nodes' addresses of ServiceLB",
      blocked: { "the address of Node n1": ["198.51.100.1"] },
      service: { shows: ["198.51.100.1"], finalizer: true },
      assigns: ["192.0.2.10 new from lan"],
    },
  ];
}
