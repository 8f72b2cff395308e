import { assigned, mine, type PlanCase, reference, shown } from "./plan-case.ts";

const nodeSharing = { key: "", ports: ["80/TCP"], backends: "" };

/** Addresses that something else on the LAN has. */
export const usedElsewhereCases: readonly PlanCase[] = [
  {
    name: "another device answers for the address: the condition and an event say so, and the Service keeps it",
    claims: [{ ...mine, conflict: "02:00:00:00:00:99 also answers for it." }],
    service: shown,
    ops: [`Patch ${assigned}`, "Warning AddressConflict"],
  },
  {
    name: "another device had an address before that the Service requests: it keeps it, and the condition says that it is not announced",
    claims: [{ ...mine, conflict: "02:00:00:00:00:99 on the LAN of eth0 has it already.", usedBefore: true }],
    service: { ...shown, loadBalancerIP: "192.0.2.10" },
    ops: ["Patch False AddressConflict", "Warning AddressConflict"],
  },
  {
    name: "another device had the address before, and no other is free: the Service keeps it, with both reasons",
    pools: [{ name: "lan", addresses: ["192.0.2.10/32"] }],
    claims: [{ ...mine, conflict: "02:00:00:00:00:99 on the LAN of eth0 has it already.", usedBefore: true }],
    service: shown,
    ops: ["Patch False PoolExhausted", "Warning PoolExhausted", "Warning AddressConflict"],
  },
  {
    name: "an interface of a node has the address, too: the condition and an event say so, and the Service keeps it",
    claims: [mine],
    blocked: { "on an interface of Node n1": ["192.0.2.10"] },
    service: shown,
    ops: [`Patch ${assigned}`, "Warning AddressUsedElsewhere"],
  },
  {
    name: "an address in spec.externalIPs of the Service itself is not used elsewhere",
    claims: [mine],
    blocked: { "in spec.externalIPs of Service default/web": ["192.0.2.10"] },
    service: shown,
    ops: [],
  },
  {
    name: "a node has its own address on an interface, and a pool may assign it",
    pools: [{ name: "nodes", spec: { nodeAddresses: {} } }],
    nodes: [{ name: "n1", addresses: ["192.0.2.10"] }],
    claims: [
      {
        address: "192.0.2.10",
        pool: "nodes",
        node: "n1",
        services: [{ ...reference, uid: "web-uid", sharing: nodeSharing }],
      },
    ],
    blocked: { "on an interface of Node n1": ["192.0.2.10"] },
    service: shown,
    ops: [],
  },
  {
    name: "an address of a pool that another client assigned and an interface of a node has: only an event",
    blocked: { "on an interface of Node n1": ["192.0.2.10"] },
    service: { shows: ["192.0.2.10"], finalizer: true },
    ops: ["Warning ShownAddressTaken"],
  },
];
