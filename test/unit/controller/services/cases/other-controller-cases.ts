import { invalidClaimSource } from "../../../../../controller/allocate/allocations/blocked-addresses.ts";
import { assigned, type PlanCase, shown } from "./plan-case.ts";

/** Services that another controller serves, too. */
export const otherControllerCases: readonly PlanCase[] = [
  {
    name: "a Service that another controller serves keeps its status and finalizer while no pool has an address for it",
    pools: [],
    service: { finalizer: true, shows: ["172.30.0.11", "172.30.0.12"] },
    ops: [],
  },
  {
    name: "and it hears why when it requests something of us",
    pools: [],
    service: { finalizer: true, shows: ["172.30.0.11"], annotations: { "bellhop.dev/pool": "lan" } },
    ops: ["Warning PoolNotFound"],
  },
  {
    name: "a refusal before the other controller showed an address changes nothing about that",
    pools: [],
    service: { finalizer: true, refused: true, shows: ["172.30.0.11"] },
    ops: ["Patch False NoPool", "Warning NoPool"],
  },
  {
    name: "a refusal leaves what another controller has written into the status of a Service of ours",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["first"] }],
    service: {
      ours: true,
      shows: ["192.0.2.10", "203.0.113.7"],
      assigned: ["192.0.2.10"],
      loadBalancerIP: "192.0.2.10",
    },
    ops: [
      "Patch [203.0.113.7] False RequestedAddressTaken, no finalizer",
      "Normal UpdatedLoadBalancer",
      "Warning RequestedAddressTaken",
    ],
  },
  {
    name: "a pool that has an address for the Service serves it, whichever pool served it before",
    service: { finalizer: true, shows: ["172.30.0.11"] },
    ops: ["Create 192.0.2.10", `Patch [192.0.2.10] ${assigned}`, "Normal UpdatedLoadBalancer"],
  },
  {
    name: "a Service of ours that shows the address of an invalid VirtualIP stays as it is",
    blocked: { [invalidClaimSource("192.0.2.10")]: ["192.0.2.10"] },
    service: shown,
    ops: ["Patch False AddressClaimInvalid", "Warning AddressClaimInvalid"],
  },
  {
    name: "also one that another controller serves, and that does not hear of it",
    blocked: { [invalidClaimSource("192.0.2.10")]: ["192.0.2.10"] },
    service: { shows: ["192.0.2.10"] },
    ops: ["Warning AddressClaimInvalid"],
  },
];
