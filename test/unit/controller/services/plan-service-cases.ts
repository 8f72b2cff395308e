import { invalidClaimSource } from "../../../../controller/allocate/allocations/blocked-addresses.ts";
import { planService } from "../../../../controller/services/plan-service.ts";
import type { ServiceOp } from "../../../../controller/services/service-plan.ts";
import { formatAddress } from "../../../../src/ip/address.ts";
import { allocationsOf, type ClusterData, type ServiceData, serviceOf } from "../allocate/cases/allocation-case.ts";

/** One row: what there is, and all that is to be done for the Service `default/web`. */
export interface PlanCase extends ClusterData {
  readonly name: string;
  /** Undefined: a bare one. `gone`: there is no such Service. */
  readonly service?: ServiceData | "gone";
  /** Services without a class belong to others. */
  readonly noDefaultClass?: true;
  /** Another client that replaces the addresses. */
  readonly otherManager?: string;
  /** No node may announce an address. */
  readonly noAnnouncer?: true;
  /** In order, as `opText` writes them. */
  readonly ops: readonly string[];
  /** The Service is planned again at once. */
  readonly again?: true;
}

const lan = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] };
const holding = { ...lan, spec: { holdAfterDelete: "10m" } };
const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };
const shown = { shows: ["192.0.2.10"], ours: true } as const;
const reference = { namespace: "default", name: "web" };
const front = { key: "front", ports: ["81/TCP"], backends: "Cluster" };
const nodeSharing = { key: "", ports: ["80/TCP"], backends: "" };
const assigned = "True AddressAssigned";

const heldIn = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    address: `198.51.100.${index}`,
    held: true as const,
    services: [{ namespace, name: `old${index}` }],
  }));

export const planCases: readonly PlanCase[] = [
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
    name: "a source range that cannot be read prevents no address: a warning beside it",
    service: { annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "192.0.2.0/33" } },
    ops: [
      "Normal EnsuringLoadBalancer",
      "Create 192.0.2.10",
      `Patch [192.0.2.10] ${assigned}, finalizer`,
      "Normal EnsuredLoadBalancer",
      "Warning SourceRangeInvalid",
    ],
  },
  {
    name: "nor does an unknown word for forwarding, on a Service that has its address",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/forwarding": "magic" } },
    ops: [`Patch ${assigned}`, "Warning ForwardingInvalid"],
  },
  {
    name: "nor does an unknown ipMode",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/ip-mode": "proxy" } },
    ops: [`Patch ${assigned}`, "Warning IpModeInvalid"],
  },
  {
    name: "nor does ipMode Proxy without forwarding by node port, and the status stays as it is",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/ip-mode": "Proxy" } },
    ops: [`Patch ${assigned}`, "Warning IpModeProxyWithoutNodePort"],
  },
  {
    name: "nor does an annotation with a mistyped name",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/ip": "192.0.2.12" } },
    ops: [`Patch ${assigned}`, "Warning AnnotationUnknown"],
  },
  {
    name: "such a warning comes after the reason for a False condition",
    claims: [mine],
    service: { ...shown, annotations: { "bellhop.dev/forwarding": "magic" } },
    noAnnouncer: true,
    ops: ["Patch False NoAnnouncer", "Warning NoAnnouncer", "Warning ForwardingInvalid"],
  },
  {
    name: "without an address there is only the refusal",
    service: { loadBalancerIP: "198.51.100.1", annotations: { "bellhop.dev/forwarding": "magic" } },
    ops: ["Patch False RequestedAddressNotInPool", "Warning RequestedAddressNotInPool"],
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
  { name: "a Service of another class is not written to", service: { loadBalancerClass: "example.com/x" }, ops: [] },
  { name: "nor one without a class where these belong to others", noDefaultClass: true, ops: [] },
  {
    name: "a Service without a class that we served is released where these belong to others",
    noDefaultClass: true,
    claims: [mine],
    service: shown,
    ops: ["Leave finalizer ingress", "Release 192.0.2.10", "Normal UpdatedLoadBalancer", "Warning NoDefaultClass"],
  },
  {
    name: "also when its claim is lost: the condition says what we assigned",
    noDefaultClass: true,
    service: shown,
    ops: ["Leave finalizer ingress", "Normal UpdatedLoadBalancer", "Warning NoDefaultClass"],
  },
  {
    name: "also while it is being deleted",
    noDefaultClass: true,
    claims: [mine],
    service: { ...shown, deleting: true },
    ops: ["Leave finalizer ingress", "Release 192.0.2.10", "Normal UpdatedLoadBalancer", "Warning NoDefaultClass"],
  },
  {
    name: "once another controller has written its status, that and the finalizer are theirs",
    noDefaultClass: true,
    claims: [mine],
    service: { ...shown, shows: ["203.0.113.1"], assigned: ["192.0.2.10"] },
    ops: ["Leave", "Release 192.0.2.10"],
  },
  {
    name: "one that we refused keeps what others have written",
    noDefaultClass: true,
    service: { finalizer: true, refused: true, shows: ["203.0.113.1"] },
    ops: ["Leave"],
  },
  {
    name: "a Service that went over to another class without an address loses our marks and its claim",
    claims: [mine],
    service: { ours: true, loadBalancerClass: "example.com/x" },
    ops: ["Leave finalizer", "Release 192.0.2.10"],
  },
  {
    name: "once the other class shows an address the finalizer may be theirs",
    claims: [mine],
    service: { ...shown, shows: ["203.0.113.1"], assigned: ["192.0.2.10"], loadBalancerClass: "example.com/x" },
    ops: ["Leave", "Release 192.0.2.10"],
  },
  {
    name: "also if it is the same address, in another form than ours",
    claims: [mine],
    service: { ...shown, showsNoPorts: true, loadBalancerClass: "example.com/x" },
    ops: ["Leave", "Release 192.0.2.10"],
  },
  {
    name: "a Service of a class that the settings no longer name is released: nothing else serves the address that it shows",
    claims: [mine],
    service: { ...shown, loadBalancerClass: "metallb.io/metallb" },
    ops: ["Leave finalizer ingress", "Release 192.0.2.10", "Normal UpdatedLoadBalancer", "Warning ForeignClass"],
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
  {
    name: "a finalizer that is missing is written, though everything else is right",
    claims: [mine],
    service: { shows: ["192.0.2.10"], condition: true },
    ops: [`Patch ${assigned}, finalizer`],
  },
  {
    name: "a refusal of a Service of ours that shows nothing: without an address it needs no finalizer",
    service: { ours: true, loadBalancerIP: "198.51.100.1" },
    ops: ["Patch False RequestedAddressNotInPool, no finalizer", "Warning RequestedAddressNotInPool"],
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
  {
    name: "a Service whose status another client writes, too, is written again and says so",
    claims: [mine],
    service: { ...shown, shows: ["172.30.0.11"], assigned: ["192.0.2.10"] },
    otherManager: "k3s",
    ops: ["Patch [192.0.2.10] False StatusOverwritten", "Normal UpdatedLoadBalancer", "Warning StatusOverwritten"],
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
  {
    name: "a Service of another class with the finalizer, which is theirs",
    service: { loadBalancerClass: "example.com/x", finalizer: true },
    ops: [],
  },
  {
    name: "a Service that went over to another class before its condition was written",
    claims: [mine],
    service: { loadBalancerClass: "example.com/x", finalizer: true },
    ops: ["Leave finalizer", "Release 192.0.2.10"],
  },
];

/** The plan for the Service of the case. */
export function planCase(data: PlanCase): ReturnType<typeof planService> {
  return planService({
    key: "default/web",
    service: data.service === "gone" ? undefined : serviceOf(data.service),
    allocations: allocationsOf(data),
    namespaceLabels: data.namespaceLabels ?? {},
    defaultClass: data.noDefaultClass === undefined,
    otherManager: data.otherManager,
    hasAnnouncer: () => data.noAnnouncer === undefined,
  });
}

/** How cases write an op. */
export function opText(op: ServiceOp): string {
  switch (op.kind) {
    case "Event":
      return `${op.type} ${op.reason}`;
    case "CreateVirtualIp":
      return `Create ${formatAddress(op.address)}`;
    case "JoinVirtualIp":
      return `Join ${formatAddress(op.claim.address)}`;
    case "ReleaseVirtualIp":
      return `Release ${formatAddress(op.claim.address)}${op.holdMs > 0 ? `, hold ${op.holdMs / 1000} s` : ""}`;
    case "PatchStatus": {
      const ingress = op.ingress === undefined ? "" : `[${op.ingress.map(({ ip }) => ip).join(", ")}] `;
      const finalizer = op.finalizer === undefined ? "" : op.finalizer === "add" ? ", finalizer" : ", no finalizer";
      return `Patch ${ingress}${op.condition.status} ${op.condition.reason}${finalizer}`;
    }
    case "LeaveService":
      return `Leave${op.removeFinalizer ? " finalizer" : ""}${op.clearIngress ? " ingress" : ""}`;
  }
}
