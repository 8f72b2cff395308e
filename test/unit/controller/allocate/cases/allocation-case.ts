import { allocate } from "../../../../../controller/allocate/allocate.ts";
import { AddressAllocations } from "../../../../../controller/allocate/allocations/address-allocations.ts";
import type { Allocation, Assignment } from "../../../../../controller/allocate/choose/allocation.ts";
import { describeKept } from "../../../../../controller/allocate/claim/assigned-condition.ts";
import type { Claim } from "../../../../../controller/allocate/claim/claim.ts";
import type { ClusterNetwork } from "../../../../../controller/allocate/pool/cluster-network.ts";
import { choosePools } from "../../../../../controller/allocate/pool/pool-set.ts";
import { type IPAddressPool, ipAddressPoolSchema } from "../../../../../src/api/ip-address-pool.ts";
import { addressReadyCondition } from "../../../../../src/api/labels.ts";
import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";
import {
  formatAddress,
  type IpAddress,
  type IpFamily,
  parseAddress,
  virtualIpName,
} from "../../../../../src/ip/address.ts";
import type { ReasonCode } from "../../../../../src/model/reason.ts";
import { loadBalancerFinalizer, projectService, type ServiceView } from "../../../../../src/model/service.ts";

/** An IPAddressPool: `addresses`, and what else its spec says. The first pool of a case is the oldest. */
export interface PoolData {
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A VirtualIP. */
export interface ClaimData {
  readonly address: string;
  readonly pool?: string;
  /** The node whose own address it is. */
  readonly node?: string;
  /** Names of Services with the uid `name-uid`, or whole references. None: no Service has the address. */
  readonly services?: readonly (string | ServiceReference)[];
  /** Made by the user. */
  readonly reservation?: true;
  /** Held for the name of a deleted Service. */
  readonly held?: true;
  /** Another device on the LAN answers for the address, as a sentence. */
  readonly conflict?: string;
  readonly usedBefore?: true;
  /** Being created: the API server has not answered yet. */
  readonly unwritten?: true;
}

/** A Node, with a speaker or without. */
export interface NodeData {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly ready?: false;
  readonly excluded?: true;
}

/** The Service `default/web` with the uid `web-uid`; IPv4, SingleStack and port 80/TCP where the case says nothing else. */
export interface ServiceData {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly loadBalancerIP?: string;
  readonly families?: readonly IpFamily[];
  readonly policy?: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  readonly ports?: readonly string[];
  /** externalTrafficPolicy is Local. */
  readonly local?: true;
  readonly selector?: Readonly<Record<string, string>>;
  /** Addresses in its status. */
  readonly shows?: readonly string[];
  /** They are written as by other controllers: without ports. */
  readonly showsNoPorts?: true;
  /** Whether it has our condition and our finalizer. */
  readonly ours?: true;
  /** It has our condition without the finalizer. */
  readonly condition?: true;
  /** What the condition names as assigned. Undefined: what the Service shows. */
  readonly assigned?: readonly string[];
  /** The condition says that the Service was refused, and has no address of ours. */
  readonly refused?: true;
  /** The condition says that the Service was refused, and keeps these addresses. */
  readonly keeps?: readonly string[];
  /** It has the finalizer, which others write too, without our condition. */
  readonly finalizer?: true;
  /** The API server has recorded that our controller added the finalizer. */
  readonly added?: true;
  readonly type?: string;
  readonly loadBalancerClass?: string;
  readonly deleting?: true;
}

/** Why the Service does not have all that it should. */
export interface RefusalData {
  readonly code: ReasonCode;
  readonly field: string;
  readonly value: string;
  /** Names that the message must contain. */
  readonly names?: readonly string[];
  /** Texts that the message must not contain. */
  readonly hides?: readonly string[];
}

/** What there is in the cluster. */
export interface ClusterData {
  /** None: one pool `lan` with 192.0.2.10 to 192.0.2.12. */
  readonly pools?: readonly PoolData[];
  /** Service and pod networks of the cluster. */
  readonly networks?: readonly ClusterNetwork[];
  readonly claims?: readonly ClaimData[];
  /** Addresses that something uses which is not a Service, by what it is. */
  readonly blocked?: Readonly<Record<string, readonly string[]>>;
  /** Addresses that other Services show in their status, by key. */
  readonly shown?: Readonly<Record<string, readonly string[]>>;
  /** Keys of those Services that are being deleted. */
  readonly deleting?: readonly string[];
  readonly nodes?: readonly NodeData[];
  /** Nodes with ready endpoints of the Service. */
  readonly readyNodes?: readonly string[];
  readonly namespaceLabels?: Readonly<Record<string, string>>;
}

/** One row: what there is, and what `allocate` decides for the Service. */
export interface AllocationCase extends ClusterData {
  readonly name: string;
  readonly service?: ServiceData;
  /**
   * In the order of the families: `ADDRESS new`, `ADDRESS current` (a claim that names the Service as it is) or `ADDRESS joins` (a
   * claim that has yet to name it so), each with `from POOL` where it counts as being from a pool.
   */
  readonly assigns: readonly string[];
  /** None: the Service gets all that it should. */
  readonly refuses?: RefusalData;
  /** Whether the addresses will do although something is refused: a second family that is only preferred. */
  readonly satisfied?: true;
}

const defaultPools: readonly PoolData[] = [{ name: "lan", addresses: ["192.0.2.10-192.0.2.12"] }];

/** Calls the pure function for the Service of the case. */
export function allocateCase(data: AllocationCase): Allocation {
  return allocate(allocationsOf(data), serviceOf(data.service), data.namespaceLabels ?? {});
}

export function allocationsOf(data: ClusterData): AddressAllocations {
  const readyNodes = new Set(data.readyNodes ?? []);
  const allocations = new AddressAllocations({ of: () => readyNodes });
  const pools = (data.pools ?? defaultPools).map(poolOf);
  allocations.setPools(choosePools(pools, data.networks));
  for (const { name, addresses, labels = {}, ready = true, excluded = false } of data.nodes ?? [])
    allocations.nodes.setNode(name, { name, labels, ready, excluded, addresses: addresses.map(address) });
  for (const claim of data.claims ?? []) allocations.put(claimOf(claim));
  for (const [source, texts] of Object.entries(data.blocked ?? {})) allocations.block(source, texts.map(address));
  for (const [key, texts] of Object.entries(data.shown ?? {}))
    allocations.show(key, { addresses: texts.map(address), deleting: data.deleting?.includes(key) ?? false });
  return allocations;
}

/** How cases write an assignment. */
export function assignmentText({ address, pool, claim, needsJoin }: Assignment): string {
  const how = claim === undefined ? "new" : needsJoin ? "joins" : "current";
  return `${formatAddress(address)} ${how}${pool === undefined ? "" : ` from ${pool}`}`;
}

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is not an IP address`);
  return parsed;
}

export function poolOf({ name, addresses, spec = {} }: PoolData, index = 0): IPAddressPool {
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
  return ipAddressPoolSchema.parse({ metadata: { name, creationTimestamp }, spec: { addresses, ...spec } });
}

export function claimOf(data: ClaimData): Claim {
  const { address: text, pool, node, services = [], reservation, held, conflict, usedBefore, unwritten } = data;
  const name = virtualIpName(address(text));
  return {
    name,
    address: address(text),
    pool,
    node,
    services: services.map((service) =>
      typeof service === "string" ? { namespace: "default", name: service, uid: `${service}-uid` } : service,
    ),
    managed: reservation === undefined,
    heldUntilMs: held ? Date.UTC(2026, 0, 2) : undefined,
    conflict,
    usedBefore,
    uid: unwritten ? "" : name,
    resourceVersion: "1",
  };
}

/** As the API server writes it into metadata.managedFields. */
export const addedFinalizer = {
  manager: "bellhop-controller",
  operation: "Update",
  apiVersion: "v1",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:metadata": { "f:finalizers": { ".": {}, 'v:"service.kubernetes.io/load-balancer-cleanup"': {} } } },
  subresource: "status",
};

export function serviceOf(data: ServiceData = {}): ServiceView {
  const { namespace = "default", labels = {}, annotations = {}, loadBalancerIP, selector = { app: "web" } } = data;
  const { families = ["IPv4"], policy = "SingleStack", local, shows = [], ours, type = "LoadBalancer" } = data;
  const ports = (data.ports ?? ["80/TCP"]).map((text) => {
    const [port = "", protocol = ""] = text.split("/");
    return { port: Number(port), protocol };
  });
  const { assigned = shows, refused, keeps } = data;
  const kept = keeps === undefined ? "" : `${describeKept(keeps.join(", "))} `;
  const condition =
    refused || keeps !== undefined
      ? { status: "False", reason: "RequestedAddressTaken", message: `${kept}Service default/web was refused.` }
      : { status: "True", reason: "AddressAssigned", message: assigned.join(", ") };
  const hasCondition = ours || data.condition || condition.status === "False";
  return projectService(
    {
      metadata: {
        namespace,
        name: "web",
        uid: "web-uid",
        labels: { ...labels },
        annotations: { ...annotations },
        finalizers: ours || data.finalizer ? [loadBalancerFinalizer] : [],
        ...(data.added ? { managedFields: [addedFinalizer] } : {}),
        ...(data.deleting ? { deletionTimestamp: new Date(0) } : {}),
      },
      spec: {
        type,
        ...(loadBalancerIP === undefined ? {} : { loadBalancerIP }),
        ...(data.loadBalancerClass === undefined ? {} : { loadBalancerClass: data.loadBalancerClass }),
        ipFamilies: [...families],
        ipFamilyPolicy: policy,
        ports,
        externalTrafficPolicy: local ? "Local" : "Cluster",
        selector: { ...selector },
      },
      status: {
        loadBalancer: { ingress: shows.map((ip) => ({ ip, ipMode: "VIP", ...(data.showsNoPorts ? {} : { ports }) })) },
        conditions: hasCondition
          ? [{ type: addressReadyCondition, ...condition, lastTransitionTime: new Date(0) }]
          : [],
      },
    },
    {},
  );
}
