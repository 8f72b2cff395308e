import { holding, mine, type PlanCase, reference, shown } from "./plan-case.ts";

/** Services that are refused an address. */
export const refusedCases: readonly PlanCase[] = [
  {
    name: "a refusal: condition and event, and nothing is shown",
    service: { loadBalancerIP: "198.51.100.1" },
    ops: ["Patch False RequestedAddressNotInPool", "Warning RequestedAddressNotInPool"],
  },
  {
    name: "a refusal of a Service that has an address: it stays",
    claims: [mine],
    service: { ...shown, loadBalancerIP: "198.51.100.1" },
    ops: ["Patch False RequestedAddressNotInPool", "Warning RequestedAddressNotInPool"],
  },
  {
    name: "a refusal clears an address that we showed and that is another Service's",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["first"] }],
    service: { ...shown, loadBalancerIP: "192.0.2.10" },
    ops: [
      "Patch [] False RequestedAddressTaken, no finalizer",
      "Normal UpdatedLoadBalancer",
      "Warning RequestedAddressTaken",
    ],
  },
  {
    name: "a refusal adopts an address of a pool that another client showed, so that no other Service gets it",
    service: { shows: ["192.0.2.10"], loadBalancerIP: "198.51.100.1" },
    ops: ["Create 192.0.2.10", "Patch False RequestedAddressNotInPool, finalizer", "Warning RequestedAddressNotInPool"],
  },
  {
    name: "a refused Service does not end the hold of its address",
    pools: [{ ...holding, spec: { ...holding.spec, state: "Draining" } }],
    claims: [{ address: "192.0.2.10", pool: "lan", services: [reference], held: true }],
    ops: ["Patch False PoolDraining", "Warning PoolDraining"],
  },
  {
    name: "a refusal of a Service of ours that shows nothing: without an address it needs no finalizer",
    service: { ours: true, loadBalancerIP: "198.51.100.1" },
    ops: ["Patch False RequestedAddressNotInPool, no finalizer", "Warning RequestedAddressNotInPool"],
  },
];
