import { assigned, front, lan, mine, type PlanCase, reference, shown } from "./plan-case.ts";

/** What a Service is given: its claim, its status and its finalizer. */
export const assignedCases: readonly PlanCase[] = [
  {
    name: "a new Service: the claim before the status, and the finalizer in the same write",
    ops: [
      "Normal EnsuringLoadBalancer",
      "Create 192.0.2.10",
      `Patch [192.0.2.10] ${assigned}, finalizer`,
      "Normal EnsuredLoadBalancer",
    ],
  },
  { name: "a Service with all that it should have: nothing", claims: [mine], service: shown, ops: [] },
  {
    name: "a claim that is not written yet is created again",
    claims: [{ ...mine, unwritten: true }],
    service: shown,
    ops: ["Create 192.0.2.10"],
  },
  {
    name: "an address whose VirtualIP is lost is claimed again, without an event",
    service: shown,
    ops: ["Create 192.0.2.10"],
  },
  {
    name: "a move: the new address is claimed and shown before the old one is released",
    claims: [mine],
    service: { ...shown, loadBalancerIP: "192.0.2.12" },
    ops: ["Create 192.0.2.12", `Patch [192.0.2.12] ${assigned}`, "Normal UpdatedLoadBalancer", "Release 192.0.2.10"],
  },
  {
    name: "an address that no node may announce is shown, with the reason",
    noAnnouncer: true,
    ops: [
      "Normal EnsuringLoadBalancer",
      "Create 192.0.2.10",
      "Patch [192.0.2.10] False NoAnnouncer, finalizer",
      "Normal EnsuredLoadBalancer",
      "Warning NoAnnouncer",
    ],
  },
  {
    name: "a second family that is only preferred does not make the condition False",
    service: { families: ["IPv4", "IPv6"], policy: "PreferDualStack" },
    ops: [
      "Normal EnsuringLoadBalancer",
      "Create 192.0.2.10",
      `Patch [192.0.2.10] ${assigned}, finalizer`,
      "Normal EnsuredLoadBalancer",
    ],
  },
  {
    name: "a Service joins the address of others",
    claims: [
      {
        address: "192.0.2.10",
        pool: "lan",
        services: [
          {
            ...reference,
            name: "first",
            uid: "first-uid",
            sharing: { key: "front", ports: ["81/TCP"], backends: "Cluster" },
          },
        ],
      },
    ],
    service: { annotations: { "bellhop.dev/share": "front" } },
    ops: [
      "Normal EnsuringLoadBalancer",
      "Join 192.0.2.10",
      `Patch [192.0.2.10] ${assigned}, finalizer`,
      "Normal EnsuredLoadBalancer",
    ],
  },
  {
    name: "a family that is gone is released",
    pools: [lan, { name: "six", addresses: ["2001:db8::/64"] }],
    claims: [mine, { address: "2001:db8::1", pool: "six", services: ["web"] }],
    service: { shows: ["192.0.2.10", "2001:db8::1"], ours: true },
    ops: [`Patch [192.0.2.10] ${assigned}`, "Normal UpdatedLoadBalancer", "Release 2001:db8::1"],
  },
  {
    name: "a finalizer that is missing is written, though everything else is right",
    claims: [mine],
    service: { shows: ["192.0.2.10"], condition: true },
    ops: [`Patch ${assigned}, finalizer`],
  },
  {
    name: "a Service whose status another client writes, too, is written again and says so",
    claims: [mine],
    service: { ...shown, shows: ["172.30.0.11"], assigned: ["192.0.2.10"] },
    otherManager: "k3s",
    ops: ["Patch [192.0.2.10] False StatusOverwritten", "Normal UpdatedLoadBalancer", "Warning StatusOverwritten"],
  },
  {
    name: "the claim of an earlier Service of the name passes to it first",
    claims: [{ address: "192.0.2.10", pool: "lan", services: [{ ...reference, uid: "earlier-uid" }] }],
    ops: ["Join 192.0.2.10"],
    again: true,
  },
  {
    name: "also outside all pools",
    claims: [{ address: "198.51.100.1", services: [{ ...reference, uid: "earlier-uid" }] }],
    ops: ["Join 198.51.100.1"],
    again: true,
  },
  {
    name: "but not from a draining pool",
    pools: [{ ...lan, spec: { state: "Draining" } }],
    claims: [{ address: "192.0.2.10", pool: "lan", services: [{ ...reference, uid: "earlier-uid" }] }],
    ops: ["Release 192.0.2.10"],
    again: true,
  },
  {
    name: "nor from a pool that no longer admits it",
    pools: [{ ...lan, spec: { serviceAllocation: { namespaces: ["shop"] } } }],
    claims: [{ address: "192.0.2.10", pool: "lan", services: [{ ...reference, uid: "earlier-uid" }] }],
    ops: ["Release 192.0.2.10"],
    again: true,
  },
  {
    name: "nor where it conflicts with the Services that share the address",
    claims: [
      {
        address: "192.0.2.10",
        pool: "lan",
        services: [
          { ...reference, uid: "earlier-uid", sharing: front },
          { ...reference, name: "first", uid: "first-uid", sharing: { ...front, ports: ["82/TCP"] } },
        ],
      },
    ],
    ops: ["Release 192.0.2.10"],
    again: true,
  },
];
