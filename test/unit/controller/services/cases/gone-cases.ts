import { front, holding, mine, type PlanCase, reference, shown } from "./plan-case.ts";

const heldIn = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    address: `198.51.100.${index}`,
    held: true as const,
    services: [{ namespace, name: `old${index}` }],
  }));

/** Services that are gone, being deleted, or no longer of type LoadBalancer. */
export const goneCases: readonly PlanCase[] = [
  {
    name: "a Service is deleted, and as many addresses as are allowed are held for its namespace: an event says that its own is not",
    pools: [holding],
    claims: [mine, ...heldIn("default", 10)],
    service: { ...shown, deleting: true },
    ops: [
      "Normal DeletingLoadBalancer",
      "Warning HoldLimitReached",
      "Release 192.0.2.10",
      "Leave finalizer ingress",
      "Normal DeletedLoadBalancer",
    ],
  },
  {
    name: "the address that is held for a Service and that it requests stays held while the Service that gave it up still shows it",
    claims: [mine, { address: "192.0.2.11", pool: "lan", services: [reference], held: true }],
    shown: { "default/other": ["192.0.2.11"] },
    service: { ...shown, loadBalancerIP: "192.0.2.11" },
    ops: ["Patch False RequestedAddressTaken", "Warning RequestedAddressTaken"],
  },
  {
    name: "another address that is held for it is released when it has one",
    claims: [mine, { address: "192.0.2.11", pool: "lan", services: [reference], held: true }],
    service: shown,
    ops: ["Release 192.0.2.11"],
  },
  {
    name: "holds of another namespace do not count",
    pools: [holding],
    claims: [mine, ...heldIn("shop", 10)],
    service: "gone",
    ops: ["Release 192.0.2.10, hold 600 s"],
  },
  {
    name: "a Service that is gone: its claim is released",
    claims: [mine],
    service: "gone",
    ops: ["Release 192.0.2.10"],
  },
  {
    name: "and held where the pool says so",
    pools: [holding],
    claims: [mine],
    service: "gone",
    ops: ["Release 192.0.2.10, hold 600 s"],
  },
  {
    name: "but not where the pool drains",
    pools: [{ ...holding, spec: { ...holding.spec, state: "Draining" } }],
    claims: [mine],
    service: "gone",
    ops: ["Release 192.0.2.10"],
  },
  {
    name: "a hold stays while its Service is gone",
    pools: [holding],
    claims: [{ ...mine, services: [reference], held: true }],
    service: "gone",
    ops: [],
  },
  {
    name: "a reservation of the user is not released",
    claims: [{ address: "192.0.2.10", services: [reference], reservation: true }],
    service: "gone",
    ops: [],
  },
  {
    name: "a deleted Service: the claim first, the finalizer last",
    claims: [mine],
    service: { ...shown, deleting: true },
    ops: ["Normal DeletingLoadBalancer", "Release 192.0.2.10", "Leave finalizer ingress", "Normal DeletedLoadBalancer"],
  },
  {
    name: "a Service that left type LoadBalancer: the API server clears its status",
    claims: [mine],
    service: { ...shown, type: "ClusterIP" },
    ops: ["Normal DeletingLoadBalancer", "Release 192.0.2.10", "Leave finalizer", "Normal DeletedLoadBalancer"],
  },
  {
    name: "a finalizer without any mark of ours stays",
    service: { type: "ClusterIP", finalizer: true },
    ops: [],
  },
  {
    name: "what was noted in a reservation is taken out when the Service is gone",
    claims: [{ address: "192.0.2.10", services: [{ ...reference, sharing: front }], reservation: true }],
    service: "gone",
    ops: ["Release 192.0.2.10"],
  },
  {
    name: "but what was noted there for another Service stays",
    claims: [
      {
        address: "192.0.2.10",
        services: [reference, { ...reference, name: "first", sharing: front }],
        reservation: true,
      },
    ],
    service: "gone",
    ops: [],
  },
  {
    name: "a deleted Service without a claim: only the finalizer",
    service: { ...shown, deleting: true },
    ops: ["Leave finalizer ingress"],
  },
  { name: "a deleted Service that has nothing of ours", service: { deleting: true }, ops: [] },
  {
    name: "a deleted Service of our class with the finalizer alone, which is ours then",
    service: { finalizer: true, deleting: true, loadBalancerClass: "bellhop.dev/bellhop" },
    ops: ["Leave finalizer"],
  },
  {
    name: "a deleted Service without a class with the finalizer alone, which may be another controller's",
    service: { finalizer: true, deleting: true },
    ops: [],
  },
  {
    name: "a deleted Service that an earlier build refused, with the finalizer that we added",
    service: { finalizer: true, added: true, refused: true, deleting: true },
    ops: ["Leave finalizer"],
  },
  {
    name: "the finalizer that we added goes also where another controller serves the deleted Service",
    service: { finalizer: true, added: true, deleting: true, shows: ["203.0.113.7"] },
    ops: ["Leave finalizer"],
  },
  {
    name: "and where the Service is of another class by then",
    service: {
      finalizer: true,
      added: true,
      deleting: true,
      loadBalancerClass: "example.com/x",
      shows: ["203.0.113.7"],
    },
    ops: ["Leave finalizer"],
  },
  {
    name: "and where Services without a class belong to others by then",
    noDefaultClass: true,
    service: { finalizer: true, added: true, deleting: true, shows: ["203.0.113.7"] },
    ops: ["Leave finalizer"],
  },
  {
    name: "a Service that another controller serves and that exists keeps the finalizer that we added: the other may rely on it",
    noDefaultClass: true,
    service: { finalizer: true, added: true, shows: ["203.0.113.7"] },
    ops: [],
  },
  {
    name: "a deleted Service with the finalizer and the condition of a refusal, which does not make it ours",
    service: { finalizer: true, refused: true, deleting: true, shows: ["203.0.113.7"] },
    ops: [],
  },
  {
    name: "a Service whose condition says that it keeps an address is ours when it is deleted without a claim",
    service: { finalizer: true, keeps: ["192.0.2.10"], shows: ["192.0.2.10"], deleting: true },
    ops: ["Leave finalizer ingress"],
  },
  {
    name: "a Service that left type LoadBalancer after a refusal loses the condition",
    service: { type: "ClusterIP", condition: true },
    ops: ["Leave"],
  },
];
