import type { AllocationCase, ClaimData, RefusalData } from "../cases/allocation-case.ts";

/** One row: which pool has the address of a claim, or why none has. */
export interface MembershipCase extends Pick<AllocationCase, "name" | "pools" | "nodes"> {
  readonly claim: ClaimData;
  readonly pool?: string;
  readonly refuses?: RefusalData;
}

const claim = { address: "192.0.2.10", pool: "lan", services: ["web"] };
const ofNode = { address: "203.0.113.1", node: "n1", pool: "edge", services: ["web"] };
const n1 = { name: "n1", addresses: ["203.0.113.1"] };
const edge = { name: "edge", spec: { nodeAddresses: {} } };
const about = { code: "AddressOutsidePool", field: "spec.address", value: "192.0.2.10", names: ["Pool lan"] } as const;
const aboutNode = { ...about, value: "203.0.113.1", names: ["Pool edge"] } as const;

export const membershipCases: readonly MembershipCase[] = [
  { name: "the pool that it was taken from", claim, pool: "lan" },
  { name: "now in another pool", pools: [{ name: "new", addresses: ["192.0.2.10"] }], claim, pool: "new" },
  { name: "its pool shrank", pools: [{ name: "lan", addresses: ["192.0.2.11"] }], claim, refuses: about },
  {
    name: "its pool excludes it",
    pools: [{ name: "lan", addresses: ["192.0.2.0/24"], spec: { exclude: ["192.0.2.10"] } }],
    claim,
    refuses: about,
  },
  { name: "its pool is gone", pools: [], claim, refuses: about },
  {
    name: "its pool is rejected",
    pools: [{ name: "lan", addresses: ["192.0.2.1/24"] }],
    claim,
    refuses: { ...about, names: ["Pool lan", "PoolRangeInvalid"] },
  },
  {
    name: "it came from no pool",
    pools: [],
    claim: { address: "192.0.2.10", services: ["web"] },
    refuses: { ...about, names: [] },
  },
  {
    name: "a reservation may be in no pool",
    pools: [],
    claim: { address: "192.0.2.10", services: ["web"], reservation: true },
  },
  { name: "the address of a node of the pool", pools: [edge], nodes: [n1], claim: ofNode, pool: "edge" },
  {
    name: "the address of a node that the pool no longer selects",
    pools: [{ name: "edge", spec: { nodeAddresses: { nodeSelectors: [{ matchLabels: { edge: "yes" } }] } } }],
    nodes: [n1],
    claim: ofNode,
    refuses: { ...aboutNode, names: ["Pool edge", "Node n1"] },
  },
];
