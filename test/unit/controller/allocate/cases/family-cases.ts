import type { AllocationCase } from "./allocation-case.ts";

const both = ["IPv4", "IPv6"] as const;
const require = { families: both, policy: "RequireDualStack" } as const;
const prefer = { families: both, policy: "PreferDualStack" } as const;
const four = { name: "four", addresses: ["192.0.2.10-192.0.2.12"] };
const six = { name: "six", addresses: ["2001:db8::10-2001:db8::12"] };
const noIpv6 = { code: "NoPoolForService", field: "spec.ipFamilies", value: "IPv6", names: ["four"] } as const;

export const familyCases: readonly AllocationCase[] = [
  {
    name: "an IPv6 Service gets an IPv6 address",
    pools: [four, six],
    service: { families: ["IPv6"] },
    assigns: ["2001:db8::10 new from six"],
  },
  {
    name: "RequireDualStack gets one address per family",
    pools: [four, six],
    service: require,
    assigns: ["192.0.2.10 new from four", "2001:db8::10 new from six"],
  },
  {
    name: "in the order of spec.ipFamilies",
    pools: [four, six],
    service: { families: ["IPv6", "IPv4"], policy: "RequireDualStack" },
    assigns: ["2001:db8::10 new from six", "192.0.2.10 new from four"],
  },
  {
    name: "RequireDualStack gets nothing where one family has no pool",
    pools: [four],
    service: require,
    assigns: [],
    refuses: noIpv6,
  },
  {
    name: "a Service that had one family when it came to require both keeps that one",
    pools: [four],
    claims: [{ address: "192.0.2.10", pool: "four", services: ["web"] }],
    service: { ...require, shows: ["192.0.2.10"], ours: true },
    assigns: ["192.0.2.10 current from four"],
    refuses: noIpv6,
  },
  {
    name: "PreferDualStack does with one family, and the other is named",
    pools: [four],
    service: prefer,
    assigns: ["192.0.2.10 new from four"],
    refuses: noIpv6,
    satisfied: true,
  },
  {
    name: "the first family may be the one that PreferDualStack does without",
    pools: [six],
    service: prefer,
    assigns: ["2001:db8::10 new from six"],
    refuses: { code: "NoPoolForService", field: "spec.ipFamilies", value: "IPv4" },
    satisfied: true,
  },
  {
    name: "PreferDualStack gets the second family once there is a pool",
    pools: [four, six],
    claims: [{ address: "192.0.2.11", pool: "four", services: ["web"] }],
    service: { ...prefer, shows: ["192.0.2.11"], ours: true },
    assigns: ["192.0.2.11 current from four", "2001:db8::10 new from six"],
  },
  {
    name: "PreferDualStack without any pool of either family gets nothing",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { autoAssign: false } }],
    service: prefer,
    assigns: [],
    refuses: { code: "NoPoolForService", field: "spec.ipFamilies", value: "IPv4", names: ["lan"] },
  },
  {
    name: "PreferDualStack with one family requested gets it though the other has no pool",
    pools: [four],
    service: { ...prefer, loadBalancerIP: "192.0.2.12" },
    assigns: ["192.0.2.12 new from four"],
    refuses: noIpv6,
    satisfied: true,
  },
  {
    name: "a request of PreferDualStack that is refused refuses both families",
    pools: [four],
    service: { ...prefer, annotations: { "bellhop.dev/ips": "192.0.2.12,2001:db8::12" } },
    assigns: [],
    refuses: {
      code: "RequestedAddressNotInPool",
      field: "metadata.annotations[bellhop.dev/ips]",
      value: "2001:db8::12",
    },
  },
  {
    name: "PreferDualStack keeps what it has of the family that it is refused",
    pools: [{ ...four, spec: { state: "Draining" } }, six],
    claims: [{ address: "192.0.2.10", pool: "four", services: ["web"] }],
    service: {
      ...prefer,
      annotations: { "bellhop.dev/pool": "six" },
      shows: ["192.0.2.10"],
      ours: true,
    },
    assigns: ["192.0.2.10 current from four", "2001:db8::10 new from six"],
    refuses: { code: "PoolLacksFamily", field: "metadata.annotations[bellhop.dev/pool]", value: "six" },
    satisfied: true,
  },
  {
    name: "a family that is gone from spec.ipFamilies is not kept",
    pools: [four, six],
    claims: [
      { address: "192.0.2.10", pool: "four", services: ["web"] },
      { address: "2001:db8::10", pool: "six", services: ["web"] },
    ],
    service: { shows: ["192.0.2.10", "2001:db8::10"], ours: true },
    assigns: ["192.0.2.10 current from four"],
  },
  {
    name: "a Service that changes its family moves to the other",
    pools: [four, six],
    claims: [{ address: "192.0.2.10", pool: "four", services: ["web"] }],
    service: { families: ["IPv6"], shows: ["192.0.2.10"], ours: true },
    assigns: ["2001:db8::10 new from six"],
  },
  {
    name: "a second family whose pool is exhausted is the one that is named",
    pools: [four, { name: "six", addresses: ["2001:db8::10"] }],
    claims: [{ address: "2001:db8::10", pool: "six", services: ["first"] }],
    service: prefer,
    assigns: ["192.0.2.10 new from four"],
    refuses: { code: "PoolExhausted", field: "spec.ipFamilies", value: "IPv6", names: ["six"] },
    satisfied: true,
  },
];
