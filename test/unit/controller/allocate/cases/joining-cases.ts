import type { AllocationCase } from "./allocation-case.ts";
import { abroad, across, first, joins, local, own, share, sharer } from "./sharers.ts";

/** Without a request: the Service joins where it fits, else it gets an address of its own. */
export const joiningCases: readonly AllocationCase[] = [
  { name: "another port", claims: [first], service: { ...share(), ports: ["81/TCP"] }, assigns: joins },
  {
    name: "the same number on another protocol",
    claims: [first],
    service: { ...share(), ports: ["80/UDP"] },
    assigns: joins,
  },
  {
    name: "blanks around the key do not count",
    claims: [first],
    service: { ...share(" front "), ports: ["81/TCP"] },
    assigns: joins,
  },
  { name: "the same port", claims: [first], service: share(), assigns: own },
  {
    name: "one port of several is the same",
    claims: [first],
    service: { ...share(), ports: ["81/TCP", "80/TCP"] },
    assigns: own,
  },
  { name: "another key", claims: [first], service: { ...share("back"), ports: ["81/TCP"] }, assigns: own },
  { name: "an empty key", claims: [first], service: { ...share(" "), ports: ["81/TCP"] }, assigns: own },
  { name: "no key", claims: [first], service: { ports: ["81/TCP"] }, assigns: own },
  {
    name: "the other has no key",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["first"] }],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: own,
  },
  {
    name: "Local beside Cluster",
    claims: [first],
    service: { ...share(), ports: ["81/TCP"], local: true },
    assigns: own,
  },
  {
    name: "Local with the same selector in another order",
    claims: [local("Local default app=web,tier=front")],
    service: { ...share(), ports: ["81/TCP"], local: true, selector: { tier: "front", app: "web" } },
    assigns: joins,
  },
  {
    name: "Local with another selector",
    claims: [local("Local default app=web")],
    service: { ...share(), ports: ["81/TCP"], local: true, selector: { app: "other" } },
    assigns: own,
  },
  {
    name: "Local without a selector",
    claims: [local("Local default/first")],
    service: { ...share(), ports: ["81/TCP"], local: true, selector: {} },
    assigns: own,
  },
  {
    name: "Cluster with another selector",
    claims: [first],
    service: { ...share(), ports: ["81/TCP"], selector: { app: "other" } },
    assigns: joins,
  },
  { name: "another namespace", claims: [abroad], service: { ...share(), ports: ["81/TCP"] }, assigns: own },
  {
    name: "another namespace, which the pool allows",
    pools: [across],
    claims: [abroad],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: joins,
  },
  {
    name: "Local in another namespace with the same selector, which the pool allows",
    pools: [across],
    claims: [
      { ...abroad, services: [sharer("first", ["80/TCP"], { namespace: "shop", backends: "Local shop app=web" })] },
    ],
    service: { ...share(), ports: ["81/TCP"], local: true },
    assigns: own,
  },
  {
    name: "the lowest of several addresses on which it fits",
    claims: [
      { address: "192.0.2.12", pool: "lan", services: [sharer("c", ["80/TCP"])] },
      { address: "192.0.2.11", pool: "lan", services: [sharer("b", ["80/TCP"])] },
      { address: "192.0.2.10", pool: "lan", services: [sharer("a", ["81/TCP"])] },
    ],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: ["192.0.2.11 joins from lan"],
  },
  {
    name: "an address that is held for a deleted Service is not joined",
    claims: [{ ...first, held: true }],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: own,
  },
  {
    name: "a reservation of the user is not joined",
    claims: [{ ...first, reservation: true }],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: own,
  },
  {
    name: "an address of a draining pool is not joined",
    pools: [
      { name: "lan", addresses: ["192.0.2.10"], spec: { state: "Draining" } },
      { name: "new", addresses: ["192.0.2.20"] },
    ],
    claims: [first],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: ["192.0.2.20 new from new"],
  },
  {
    name: "an address of a pool with autoAssign false is joined only by name",
    pools: [
      { name: "lan", addresses: ["192.0.2.10"], spec: { autoAssign: false } },
      { name: "new", addresses: ["192.0.2.20"] },
    ],
    claims: [first],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: ["192.0.2.20 new from new"],
  },
  {
    name: "an address of the named pool is joined",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { autoAssign: false } }],
    claims: [first],
    service: { annotations: { "bellhop.dev/share": "front", "bellhop.dev/pool": "lan" }, ports: ["81/TCP"] },
    assigns: joins,
  },
  {
    name: "an address that is no longer in a pool is not joined",
    pools: [{ name: "lan", addresses: ["192.0.2.11"] }],
    claims: [first],
    service: { ...share(), ports: ["81/TCP"] },
    assigns: own,
  },
  {
    name: "both families join the address of the same others",
    pools: [{ name: "lan", addresses: ["192.0.2.10", "2001:db8::10"] }],
    claims: [
      { address: "192.0.2.10", pool: "lan", services: [sharer("first", ["80/TCP"])] },
      { address: "2001:db8::10", pool: "lan", services: [sharer("first", ["80/TCP"])] },
    ],
    service: { ...share(), ports: ["81/TCP"], families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
    assigns: ["192.0.2.10 joins from lan", "2001:db8::10 joins from lan"],
  },
];
