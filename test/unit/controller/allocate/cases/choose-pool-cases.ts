import { subnetOf } from "../../../../../src/ip/range.ts";
import type { AllocationCase, PoolData } from "./allocation-case.ts";

const inPool = (name: string) => ({ annotations: { "bellhop.dev/pool": name } });
const named = "metadata.annotations[bellhop.dev/pool]";
const unnamed = { field: "spec.ipFamilies", value: "IPv4" } as const;
const lan: PoolData = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] };
const kept = (serviceAllocation: Record<string, unknown>): PoolData => ({
  name: "kept",
  addresses: ["192.0.2.20"],
  spec: { serviceAllocation },
});

const serviceNetwork = subnetOf("192.0.2.0/24");
const networks = (use: "Service" | "Pod") =>
  serviceNetwork === undefined ? [] : [{ use, range: serviceNetwork, source: "ServiceCIDR kubernetes" }];

export const choosePoolCases: readonly AllocationCase[] = [
  { name: "the lowest free address is assigned", assigns: ["192.0.2.10 new from lan"] },
  {
    name: "addresses that others have, hold or reserve are not free",
    claims: [
      { address: "192.0.2.10", pool: "lan", services: ["first"] },
      { address: "192.0.2.11", reservation: true },
    ],
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "an address that a Node or spec.externalIPs uses is not free",
    blocked: { "the address of Node n1": ["192.0.2.10"], "in spec.externalIPs of Service a/b": ["192.0.2.11"] },
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "excluded addresses are not assigned",
    pools: [{ ...lan, spec: { exclude: ["192.0.2.10-192.0.2.11"] } }],
    assigns: ["192.0.2.12 new from lan"],
  },
  {
    name: "avoidBuggyIPs leaves out .255 and .0",
    pools: [{ name: "lan", addresses: ["192.0.2.255-192.0.3.1"], spec: { avoidBuggyIPs: true } }],
    assigns: ["192.0.3.1 new from lan"],
  },
  {
    name: "the pool with the lower priority number is tried first, and one without a number last",
    pools: [
      { name: "a", addresses: ["192.0.2.10"] },
      { name: "b", addresses: ["192.0.2.20"], spec: { serviceAllocation: { priority: 20 } } },
      { name: "c", addresses: ["192.0.2.30"], spec: { serviceAllocation: { priority: 10 } } },
    ],
    assigns: ["192.0.2.30 new from c"],
  },
  {
    name: "a pool that is restricted to some Services is tried before one for all",
    pools: [lan, kept({ namespaces: ["default"] })],
    assigns: ["192.0.2.20 new from kept"],
  },
  {
    name: "the next pool is tried where the first is exhausted",
    pools: [
      { name: "a", addresses: ["192.0.2.10"] },
      { name: "b", addresses: ["192.0.2.20"] },
    ],
    claims: [{ address: "192.0.2.10", pool: "a", services: ["first"] }],
    assigns: ["192.0.2.20 new from b"],
  },
  { name: "without a pool", pools: [], assigns: [], refuses: { code: "NoPool", ...unnamed } },
  {
    name: "without a usable pool, the rejected ones are named",
    pools: [{ name: "lan", addresses: ["192.0.2.1/24"] }],
    assigns: [],
    refuses: { code: "NoPool", ...unnamed, names: ["lan", "PoolRangeInvalid"] },
  },
  {
    name: "only pools with autoAssign false",
    pools: [{ ...lan, spec: { autoAssign: false } }],
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["lan"] },
  },
  {
    name: "only pools of the other family",
    pools: [{ name: "six", addresses: ["2001:db8::/64"] }],
    assigns: [],
    refuses: { code: "NoPoolForService", ...unnamed, names: ["six"] },
  },
  {
    name: "only draining pools",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    assigns: [],
    refuses: { code: "PoolDraining", ...unnamed, names: ["lan"] },
  },
  {
    name: "every address taken, in all pools that serve the Service",
    pools: [
      { name: "a", addresses: ["192.0.2.10"] },
      { name: "b", addresses: ["192.0.2.20"] },
      { name: "c", addresses: ["192.0.2.30"], spec: { autoAssign: false } },
    ],
    claims: [
      { address: "192.0.2.10", pool: "a", services: ["first"] },
      { address: "192.0.2.20", pool: "b", services: ["second"] },
    ],
    assigns: [],
    refuses: { code: "PoolExhausted", ...unnamed, names: ["a, b"] },
  },
  {
    name: "a pool that is exhausted is the reason, not another that drains",
    pools: [
      { name: "a", addresses: ["192.0.2.10"], spec: { state: "Draining" } },
      { name: "b", addresses: ["192.0.2.20"] },
    ],
    claims: [{ address: "192.0.2.20", pool: "b", services: ["first"] }],
    assigns: [],
    refuses: { code: "PoolExhausted", ...unnamed, names: ["b"] },
  },
  { name: "a named pool", pools: [lan, kept({})], service: inPool("kept"), assigns: ["192.0.2.20 new from kept"] },
  {
    name: "a named pool may have autoAssign false",
    pools: [{ ...lan, spec: { autoAssign: false } }],
    service: inPool("lan"),
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a name that no pool has is refused, and the only pool is named",
    service: inPool("nowhere"),
    assigns: [],
    refuses: { code: "PoolNotFound", field: named, value: "nowhere", names: ["lan"] },
  },
  {
    name: "a pool name of white space names no pool",
    service: inPool(" \n"),
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a named pool that is rejected",
    pools: [lan, { name: "bad", addresses: ["192.0.2.1/24"] }],
    service: inPool("bad"),
    assigns: [],
    refuses: { code: "PoolUnusable", field: named, value: "bad", names: ["PoolRangeInvalid", "spec.addresses[0]"] },
  },
  {
    name: "a named pool that overlaps an older one",
    pools: [lan, { name: "young", addresses: ["192.0.2.12-192.0.2.20"] }],
    service: inPool("young"),
    assigns: [],
    refuses: { code: "PoolUnusable", field: named, value: "young", names: ["PoolOverlaps"] },
  },
  {
    name: "the older of two that overlap continues to assign addresses",
    pools: [lan, { name: "a", addresses: ["192.0.2.1-192.0.2.20"] }],
    assigns: ["192.0.2.10 new from lan"],
  },
  {
    name: "a pool in the Service network of the cluster is rejected",
    networks: networks("Service"),
    service: inPool("lan"),
    assigns: [],
    refuses: { code: "PoolUnusable", field: named, value: "lan", names: ["PoolOverlapsServiceNetwork"] },
  },
  {
    name: "a pool in a pod network is rejected",
    networks: networks("Pod"),
    assigns: [],
    refuses: { code: "NoPool", ...unnamed, names: ["PoolOverlapsPodNetwork"] },
  },
  {
    name: "a named pool without addresses of the family",
    service: { ...inPool("lan"), families: ["IPv6"] },
    assigns: [],
    refuses: { code: "PoolLacksFamily", field: named, value: "lan", names: ["IPv6"] },
  },
  {
    name: "a named pool that drains",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    service: inPool("lan"),
    assigns: [],
    refuses: { code: "PoolDraining", field: named, value: "lan" },
  },
  {
    name: "a named pool that is exhausted, though others are not",
    pools: [lan, kept({})],
    claims: [{ address: "192.0.2.20", pool: "kept", services: ["first"] }],
    service: inPool("kept"),
    assigns: [],
    refuses: { code: "PoolExhausted", field: named, value: "kept", names: ["kept"] },
  },
];
