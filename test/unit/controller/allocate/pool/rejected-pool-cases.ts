import { clusterNetworks } from "../../../../../controller/allocate/pool/cluster-network.ts";
import { choosePools } from "../../../../../controller/allocate/pool/pool-set.ts";
import { projectNode } from "../../../../../src/model/node.ts";
import type { Reason } from "../../../../../src/model/reason.ts";
import { type PoolData, poolOf, type RefusalData } from "../cases/allocation-case.ts";

/** One row: the last of the pools, which is the youngest, is rejected as a whole. */
export interface RejectedPoolCase {
  readonly name: string;
  readonly pools: readonly PoolData[];
  readonly refuses: RefusalData;
}

/** Networks of the cluster in which the cases are. */
export const networks = clusterNetworks(
  [{ name: "kubernetes", cidrs: ["10.96.0.0/16", "fd96::/112"] }],
  [{ ...projectNode({ metadata: { name: "n1" } }), podCIDRs: ["10.244.1.0/24", "nonsense"] }],
);

/** One bad entry beside a good one. */
const entries: readonly RejectedPoolCase[] = (
  [
    ["192.0.2.1/24", "PoolRangeInvalid", "192.0.2.0/24"],
    ["192.0.2.9-192.0.2.1", "PoolRangeInvalid", "192.0.2.1-192.0.2.9"],
    ["192.0.2.1-2001:db8::1", "PoolRangeInvalid"],
    ["192.0.2.0/33", "PoolRangeInvalid"],
    ["192.0.02.1", "PoolRangeInvalid"],
    ["lan", "PoolRangeInvalid"],
    ["", "PoolRangeInvalid"],
    ["::ffff:192.0.2.0/120", "PoolRangeInvalid"],
    ["::fffe:0:0/95", "PoolRangeSpecial", "IPv4-mapped"],
    ["::fffe:ffff:ffff-::1:0:0:0", "PoolRangeSpecial", "IPv4-mapped"],
    ["169.254.7.0/24", "PoolRangeSpecial", "link-local"],
    ["169.253.255.255-169.254.0.0", "PoolRangeSpecial", "link-local"],
    ["127.0.0.0/30", "PoolRangeSpecial", "loopback"],
    ["224.0.0.1", "PoolRangeSpecial", "multicast"],
    ["255.255.255.255", "PoolRangeSpecial", "reserved"],
    ["0.0.0.0/0", "PoolRangeSpecial"],
    ["fe80::1-fe80::9", "PoolRangeSpecial", "link-local"],
    ["::1", "PoolRangeSpecial", "loopback"],
    ["198.51.100.7", "PoolRangesOverlap", "spec.addresses[0]"],
    ["198.51.100.255-198.51.101.3", "PoolRangesOverlap", "spec.addresses[0]"],
  ] as const
).map(([value, code, ...names]) => ({
  name: `${code}: ${value}`,
  pools: [{ name: "lan", addresses: ["198.51.100.0/24", value] }],
  refuses: { code, field: "spec.addresses[1]", value, names },
}));

const rest: readonly RejectedPoolCase[] = [
  {
    name: "no addresses",
    pools: [{ name: "lan" }],
    refuses: { code: "PoolEmpty", field: "spec.addresses", value: "" },
  },
  {
    name: "everything is excluded",
    pools: [
      {
        name: "lan",
        addresses: ["192.0.2.0/25", "192.0.2.200"],
        spec: { exclude: ["192.0.2.0/25", "192.0.2.128/25"] },
      },
    ],
    refuses: { code: "PoolAllExcluded", field: "spec.exclude", value: "192.0.2.0/25, 192.0.2.128/25" },
  },
  {
    name: "addresses beside nodeAddresses",
    pools: [{ name: "edge", addresses: ["192.0.2.1"], spec: { nodeAddresses: {} } }],
    refuses: { code: "PoolOfNodesMisfit", field: "spec.addresses[0]", value: "192.0.2.1" },
  },
  {
    name: "exclude beside nodeAddresses",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, exclude: ["192.0.2.1"] } }],
    refuses: { code: "PoolOfNodesMisfit", field: "spec.exclude[0]", value: "192.0.2.1" },
  },
  {
    name: "holdAfterDelete beside nodeAddresses",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, holdAfterDelete: "10m" } }],
    refuses: { code: "PoolOfNodesMisfit", field: "spec.holdAfterDelete", value: "10m" },
  },
  {
    name: "forwarding beside nodeAddresses",
    pools: [{ name: "edge", spec: { nodeAddresses: {}, forwarding: "pods" } }],
    refuses: { code: "PoolOfNodesMisfit", field: "spec.forwarding", value: "pods" },
  },
  {
    name: "a bad entry of exclude",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { exclude: ["192.0.2.1", "192.0.2.9/24"] } }],
    refuses: { code: "PoolRangeInvalid", field: "spec.exclude[1]", value: "192.0.2.9/24" },
  },
  {
    name: "holdAfterDelete that is not a length of time",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { holdAfterDelete: "ten minutes" } }],
    refuses: { code: "PoolHoldInvalid", field: "spec.holdAfterDelete", value: "ten minutes" },
  },
  {
    name: "holdAfterDelete of more than a year",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { holdAfterDelete: "8785h" } }],
    refuses: { code: "PoolHoldInvalid", field: "spec.holdAfterDelete", value: "8785h" },
  },
  {
    name: "an overlap with an older pool",
    pools: [
      { name: "old", addresses: ["192.0.2.0/25"] },
      { name: "lan", addresses: ["198.51.100.1", "192.0.2.100-192.0.2.200"] },
    ],
    refuses: {
      code: "PoolOverlaps",
      field: "spec.addresses[1]",
      value: "192.0.2.100-192.0.2.200",
      names: ["192.0.2.0-192.0.2.127", "pool old"],
    },
  },
  ...(
    [
      ["10.96.5.0/24", "PoolOverlapsServiceNetwork", "10.96.0.0-10.96.255.255", "ServiceCIDR kubernetes"],
      ["fd96::/64", "PoolOverlapsServiceNetwork", "fd96::-fd96::ffff", "ServiceCIDR kubernetes"],
      ["10.244.0.200-10.244.1.0", "PoolOverlapsPodNetwork", "10.244.1.0-10.244.1.255", "Node n1"],
    ] as const
  ).map(([value, code, ...names]) => ({
    name: `${code}: ${value}`,
    pools: [{ name: "lan", addresses: ["192.0.2.0/25", value] }],
    refuses: { code, field: "spec.addresses[1]", value, names },
  })),
  {
    name: "allowOverlap for pod CIDRs does not allow the Service network",
    pools: [{ name: "lan", addresses: ["10.96.5.0/24"], spec: { allowOverlap: ["PodCIDR"] } }],
    refuses: { code: "PoolOverlapsServiceNetwork", field: "spec.addresses[0]", value: "10.96.5.0/24" },
  },
];

export const rejectedPoolCases = [...entries, ...rest];

/** Why the last pool of the case is rejected, and which pools are usable. */
export function rejectCase({ pools }: RejectedPoolCase): {
  readonly reason: Reason | undefined;
  readonly usable: readonly string[];
} {
  const { usable, rejected } = choosePools(pools.map(poolOf), networks);
  return { reason: rejected.get(pools.at(-1)?.name ?? ""), usable: usable.map(({ name }) => name).sort() };
}
