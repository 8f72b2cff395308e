import type { AllocationCase } from "./allocation-case.ts";

const inPool = (name: string) => ({ annotations: { "bellhop.dev/pool": name } });
const lan = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] };
const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };
const shown = { shows: ["192.0.2.10"], ours: true } as const;
const reference = { namespace: "default", name: "web" };

/** An address that the Service has stays, with any change to its pool. */
export const keptCases: readonly AllocationCase[] = [
  { name: "its pool serves", claims: [mine] },
  { name: "its pool is gone", pools: [], claims: [mine] },
  { name: "its pool is rejected", pools: [{ name: "lan", addresses: ["192.0.2.1/24"] }], claims: [mine] },
  { name: "its pool shrinks", pools: [{ name: "lan", addresses: ["192.0.2.11"] }], claims: [mine] },
  { name: "its pool excludes it", pools: [{ ...lan, spec: { exclude: ["192.0.2.10"] } }], claims: [mine] },
  { name: "its pool drains", pools: [{ ...lan, spec: { state: "Draining" } }], claims: [mine] },
  { name: "its pool has autoAssign false", pools: [{ ...lan, spec: { autoAssign: false } }], claims: [mine] },
  {
    name: "its pool no longer admits it",
    pools: [{ ...lan, spec: { serviceAllocation: { namespaces: ["shop"] } } }],
    claims: [mine],
  },
  { name: "a Node uses it too", claims: [mine], blocked: { "the address of Node n1": ["192.0.2.10"] } },
  { name: "a pool of a higher priority comes", pools: [lan, { name: "a", addresses: ["192.0.2.99"] }], claims: [mine] },
  { name: "it names its pool, which is gone", pools: [], claims: [mine], service: { ...inPool("lan"), ...shown } },
  {
    name: "it names its pool, which shrinks",
    pools: [{ name: "lan", addresses: ["192.0.2.11"] }],
    claims: [mine],
    service: { ...inPool("lan"), ...shown },
  },
].map(({ name, service = shown, ...rest }) => ({
  name: `the address stays: ${name}`,
  ...rest,
  service,
  assigns: ["192.0.2.10 current from lan"],
}));

export const movedCases: readonly AllocationCase[] = [
  {
    name: "another pool has the address of a Service that names its pool: it moves",
    pools: [
      { name: "lan", addresses: ["192.0.2.11"] },
      { name: "other", addresses: ["192.0.2.10"] },
    ],
    claims: [mine],
    service: { ...inPool("lan"), ...shown },
    assigns: ["192.0.2.11 new from lan"],
  },
  {
    name: "a Service that names another pool moves there",
    pools: [lan, { name: "web", addresses: ["192.0.2.20"] }],
    claims: [mine],
    service: { ...inPool("web"), ...shown },
    assigns: ["192.0.2.20 new from web"],
  },
  {
    name: "a Service that names another pool which is exhausted keeps what it has",
    pools: [lan, { name: "web", addresses: ["192.0.2.20"] }],
    claims: [mine, { address: "192.0.2.20", pool: "web", services: ["first"] }],
    service: { ...inPool("web"), ...shown },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "PoolExhausted", field: "metadata.annotations[bellhop.dev/pool]", value: "web" },
  },
  {
    name: "a Service that names a pool which does not exist keeps what it has",
    claims: [mine],
    service: { ...inPool("nowhere"), ...shown },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "PoolNotFound", field: "metadata.annotations[bellhop.dev/pool]", value: "nowhere" },
  },
  {
    name: "of two addresses of one family the one that the status shows stays",
    claims: [mine, { address: "192.0.2.11", pool: "lan", services: ["web"] }],
    service: { shows: ["192.0.2.11"], ours: true },
    assigns: ["192.0.2.11 current from lan"],
  },
  {
    name: "of two of which none is shown the lower stays",
    claims: [{ address: "192.0.2.11", pool: "lan", services: ["web"] }, mine],
    assigns: ["192.0.2.10 current from lan"],
  },
  {
    name: "the claim of an earlier Service of the name is not its own",
    claims: [{ address: "192.0.2.10", pool: "lan", services: [{ ...reference, uid: "earlier-uid" }] }],
    assigns: ["192.0.2.11 new from lan"],
  },
];

/** A refused request takes nothing away. */
export const keptThoughRefusedCases: readonly AllocationCase[] = [
  {
    name: "with a refused request the Service keeps the address that it has",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { loadBalancerIP: "198.51.100.1", shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "RequestedAddressNotInPool", field: "spec.loadBalancerIP", value: "198.51.100.1" },
  },
  {
    name: "with an unreadable request the Service keeps the address that it has",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
    service: { annotations: { "bellhop.dev/ips": "none" }, shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from lan"],
    refuses: { code: "RequestedAddressInvalid", field: "metadata.annotations[bellhop.dev/ips]", value: "none" },
  },
  {
    name: "with a refused request it keeps even an address whose VirtualIP is lost",
    service: { loadBalancerIP: "198.51.100.1", shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 new from lan"],
    refuses: { code: "RequestedAddressNotInPool", field: "spec.loadBalancerIP", value: "198.51.100.1" },
  },
  {
    name: "a preferred family whose named pool is gone stays, though another pool has its address",
    pools: [{ name: "net", addresses: ["2001:db8::10-2001:db8::11"] }],
    claims: [
      { address: "192.0.2.10", pool: "lan", services: ["web"] },
      { address: "2001:db8::10", pool: "lan", services: ["web"] },
    ],
    service: {
      annotations: { "bellhop.dev/pool": "lan" },
      loadBalancerIP: "192.0.2.10",
      families: ["IPv6", "IPv4"],
      policy: "PreferDualStack",
      shows: ["2001:db8::10", "192.0.2.10"],
      ours: true,
    },
    assigns: ["2001:db8::10 current from lan", "192.0.2.10 current from lan"],
    refuses: { code: "PoolNotFound", field: "metadata.annotations[bellhop.dev/pool]", value: "lan" },
    satisfied: true,
  },
];
