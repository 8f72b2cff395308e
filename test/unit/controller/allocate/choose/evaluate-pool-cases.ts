import type { IpFamily } from "../../../../../src/ip/address.ts";
import type { ClusterData, ServiceData } from "../cases/allocation-case.ts";

/** One row: what every pool answers a Service without an address, in the order in which pools are tried. */
export interface EvaluateCase extends ClusterData {
  readonly name: string;
  readonly service?: ServiceData;
  readonly family?: IpFamily;
  /** `POOL ADDRESS` or `POOL CODE`. */
  readonly answers: readonly string[];
}

export const evaluateCases: readonly EvaluateCase[] = [
  { name: "no pool", pools: [], answers: [] },
  {
    name: "each pool answers for itself, also after the first that has an address",
    pools: [
      { name: "a", addresses: ["192.0.2.10"] },
      { name: "b", addresses: ["192.0.2.20"], spec: { autoAssign: false } },
      { name: "c", addresses: ["192.0.2.30"], spec: { serviceAllocation: { priority: 1, namespaces: ["shop"] } } },
      { name: "d", addresses: ["192.0.2.40"], spec: { state: "Draining" } },
      { name: "e", addresses: ["2001:db8::/64"] },
      { name: "f", addresses: ["192.0.2.60"] },
      { name: "g", addresses: ["192.0.2.1/24"] },
    ],
    claims: [{ address: "192.0.2.60", pool: "f", services: ["first"] }],
    answers: [
      "c PoolForbidsService",
      "a 192.0.2.10",
      "b PoolNotAutoAssigned",
      "d PoolDraining",
      "e PoolLacksFamily",
      "f PoolExhausted",
      "g PoolRangeInvalid",
    ],
  },
  {
    name: "autoAssign comes before every other answer",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { autoAssign: false, state: "Draining" } }],
    answers: ["lan PoolNotAutoAssigned"],
  },
  {
    name: "pools of node addresses answer with the first node, or with what is in the way",
    pools: [{ name: "edge", spec: { nodeAddresses: {} } }],
    nodes: [{ name: "n1", addresses: ["203.0.113.1"] }],
    answers: ["edge 203.0.113.1"],
  },
  {
    name: "a port that nodes need",
    pools: [{ name: "edge", spec: { nodeAddresses: { allowedPorts: ["6443/TCP"] } } }],
    nodes: [{ name: "n1", addresses: ["203.0.113.1"] }],
    service: { ports: ["6443/TCP"] },
    answers: ["edge NodeAddressPortReserved"],
  },
  {
    name: "a port that the pool does not allow",
    pools: [{ name: "edge", spec: { nodeAddresses: {} } }],
    nodes: [{ name: "n1", addresses: ["203.0.113.1"] }],
    service: { ports: ["22/TCP"] },
    answers: ["edge NodeAddressPortNotAllowed"],
  },
  {
    name: "no node of the family",
    pools: [{ name: "edge", spec: { nodeAddresses: {} } }],
    nodes: [{ name: "n1", addresses: ["203.0.113.1"] }],
    family: "IPv6",
    answers: ["edge NoNodeAddress"],
  },
];
