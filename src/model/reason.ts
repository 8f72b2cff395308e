/**
 * Every "no" of the controller: code, what is wrong, and the cure. A code is the label of a metric, the reason of an event and of
 * a condition, and what tests and users search for, so it is never renamed.
 */
const reasonTable = {
  RequestedAddressInvalid: {
    problem: "is no IP address",
    cure: "Write one plain IPv4 or IPv6 address without prefix length, zone or leading zeros.",
  },
  RequestedAddressesAmbiguous: {
    problem: "asks for more than one address of the same family",
    cure: "Ask for one address per family, either in spec.loadBalancerIP or in the annotation bellhop.dev/ips.",
  },
  RequestedAddressWrongFamily: {
    problem: "is of a family that the Service does not have",
    cure: "Ask for an address of a family in spec.ipFamilies, or add the family there.",
  },
  RequestedAddressNotInPool: {
    problem: "is in no usable IPAddressPool",
    cure: "Ask for an address of a pool, or add the address to one.",
  },
  RequestedAddressNotInNamedPool: {
    problem: "is not in the pool that the annotation bellhop.dev/pool names",
    cure: "Ask for an address of that pool, or name the pool that holds it.",
  },
  RequestedAddressTaken: {
    problem: "is taken",
    cure: "Ask for another address, or release it where it is used.",
  },
  RequestedAddressReserved: {
    problem: "is kept by a VirtualIP that the user has made",
    cure: "Ask for another address, or name this Service in spec.services of that VirtualIP, or delete it.",
  },
  SharingKeyDiffers: {
    problem: "asks for an address that Services with another sharing key have",
    cure: "Write the same text into the annotation bellhop.dev/share of all of them, or ask for another address.",
  },
  SharingPortTaken: {
    problem: "asks for an address on which another Service has the same port",
    cure: "Use another port number, or the same number with another protocol, or ask for another address.",
  },
  SharingPolicyDiffers: {
    problem: "asks for an address of a Service whose traffic goes to other nodes or pods than this one's",
    cure: "Give both the same externalTrafficPolicy and, under Local, the same selector, or ask for another address.",
  },
  SharingForbiddenAcrossNamespaces: {
    problem: "asks for an address of a Service in another namespace",
    cure: "Set spec.sharing.acrossNamespaces of the pool to true, or ask for another address.",
  },
  PoolNotFound: {
    problem: "is not the name of an IPAddressPool",
    cure: "Name an existing pool (kubectl get ipaddresspools), or create it.",
  },
  PoolUnusable: {
    problem: "names a pool that is set aside",
    cure: "Read the pool's condition Ready and cure what it tells.",
  },
  PoolDraining: {
    problem: "finds only pools that are draining, which keep what they gave and give nothing new",
    cure: "Use another pool, or set spec.state of the pool back to Active.",
  },
  PoolForbidsService: {
    problem: "belongs to a pool whose serviceAllocation does not admit this Service",
    cure: "Use another pool, or admit the namespace or the labels of the Service in spec.serviceAllocation of the pool.",
  },
  PoolNotAutoAssigned: {
    problem: "is kept for Services that name it",
    cure: "Name the pool in the annotation bellhop.dev/pool of the Service, or set spec.autoAssign of the pool to true.",
  },
  PoolLacksFamily: {
    problem: "names a pool without addresses of a family that the Service needs",
    cure: "Add addresses of that family to the pool, or take the family out of spec.ipFamilies.",
  },
  PoolExhausted: {
    problem: "finds no free address",
    cure: "Add addresses to the pool, or delete Services that no longer need theirs.",
  },
  NoNodeAddress: {
    problem: "finds no node of the pool that could serve it",
    cure: "See that spec.nodeAddresses.nodeSelectors of the pool fits nodes with addresses of this family (kubectl get nodes -o wide --show-labels) and, under externalTrafficPolicy Local, that one of them runs a ready pod.",
  },
  NodeAddressPortTaken: {
    problem: "needs a port on nodes' own addresses that another Service has",
    cure: "Use another port number, or name a pool with addresses of its own in the annotation bellhop.dev/pool.",
  },
  NodeAddressPortReserved: {
    problem: "needs a port on nodes' own addresses that is kept for the nodes themselves",
    cure: "Use another port number, or take the port out of spec.nodeAddresses.reservedPorts if nothing on the nodes listens on it.",
  },
  NoPool: {
    problem: "cannot be served, because there is no usable IPAddressPool",
    cure: "Create an IPAddressPool with addresses of your network that nothing else uses.",
  },
  NoPoolForService: {
    problem: "finds no pool that gives addresses of this family to this Service unasked",
    cure: "Set autoAssign or serviceAllocation of a pool so that it does, or name a pool in the annotation bellhop.dev/pool.",
  },
  NoAnnouncer: {
    problem: "can be announced by no node: none that has a live speaker stands in its subnet and is allowed to",
    cure: "Use addresses of a network that nodes stand in, or see that the speakers run (kubectl -n bellhop-system get pods -o wide) and that an L2Advertisement allows it; bellhop explain service tells it node by node.",
  },
  NotLoadBalancer: {
    problem: "is not LoadBalancer, and only Services of that type get an external address",
    cure: "Set spec.type to LoadBalancer.",
  },
  ForeignClass: {
    problem: "hands this Service to another load balancer; Bellhop leaves it alone",
    cure: "Ask the other load balancer, or make the Service anew with spec.loadBalancerClass bellhop.dev/bellhop: the class cannot be changed.",
  },
  NoDefaultClass: {
    problem: "is not set, and this installation takes only Services that name its class",
    cure: "Make the Service anew with spec.loadBalancerClass bellhop.dev/bellhop, or let the controller take Services without a class (--default-class=true).",
  },
  BeingDeleted: {
    problem: "is set: the Service is being deleted and its address is let go",
    cure: "Wait until it is gone, and make it anew if it is still needed.",
  },
  ControllerAbsent: {
    problem: "shows no controller at work",
    cure: "See why no controller runs: kubectl -n bellhop-system get pods, then kubectl -n bellhop-system logs deploy/bellhop-controller.",
  },
  NotDoneYet: {
    problem: "does not show yet what is due to it",
    cure: "Ask again in a few seconds. If it stays so, read the log of the controller: kubectl -n bellhop-system logs deploy/bellhop-controller.",
  },
  NotAnnouncedYet: {
    problem: "is announced by no node at this moment",
    cure: "Ask again in a few seconds. If it stays so, read the log of the speaker on the first of its owners.",
  },
  AddressConflict: {
    problem: "is claimed by another device on the LAN as well",
    cure: "Find that device by its hardware address and take the address from it, or ask for another address.",
  },
  NoReadyEndpoint: {
    problem: "leads to no pod that is ready",
    cure: "See that pods match spec.selector and pass their readiness probes: kubectl describe service, kubectl get pods.",
  },
  NoLocalEndpoint: {
    problem: "is Local, but no node that may announce the address runs a ready pod",
    cure: "Run a pod on one of these nodes, or set spec.externalTrafficPolicy to Cluster.",
  },
  SourceRangeInvalid: {
    problem:
      "is not a CIDR, so it admits no client and closes the address family that it looks like, or both families where that is unclear",
    cure: "Write a network with its prefix length: 192.0.2.0/24 or 2001:db8::/32.",
  },
  ForwardingInvalid: {
    problem: "is not one of nodeport, pods and kube-proxy, and is treated as not set",
    cure: "Write one of these words, or remove the annotation.",
  },
  PoolEmpty: {
    problem: "is empty, so the pool has nothing to give",
    cure: "Write addresses of your network there, or let the pool give the nodes' own with spec.nodeAddresses.",
  },
  PoolOfNodesMisfit: {
    problem: "means nothing in a pool that gives the nodes' own addresses",
    cure: "Take it out, or take spec.nodeAddresses out.",
  },
  PoolRangeInvalid: {
    problem: "is no range of addresses",
    cure: "Write a CIDR (192.0.2.0/24), a first and a last address (192.0.2.10-192.0.2.20) or one address.",
  },
  PoolRangeSpecial: {
    problem: "holds addresses that no Service can have (loopback, multicast, unspecified or link-local)",
    cure: "Take them out.",
  },
  PoolRangesOverlap: {
    problem: "overlaps another entry of the same pool",
    cure: "Take the common addresses out of one of the two entries.",
  },
  PoolHoldInvalid: {
    problem: "is no length of time that an address can be held",
    cure: "Write hours, minutes or seconds, a year at most: 10m, 1h30m.",
  },
  PoolOverlapsServiceNetwork: {
    problem:
      "overlaps the network of the cluster's own Service addresses, where kube-proxy drops what it has not given out",
    cure: "Use addresses of your own network, or put the common ones into spec.exclude.",
  },
  PoolOverlapsPodNetwork: {
    problem: "overlaps a network that belongs to the pods of a node",
    cure: "Use addresses of your own network, or put the common ones into spec.exclude.",
  },
  PoolOverlaps: {
    problem: "overlaps another pool, which is older and goes on working",
    cure: "Take the common addresses out of one of the two pools.",
  },
  PoolSchemaInvalid: {
    problem: "does not follow the schema of IPAddressPool",
    cure: "Correct the field, or install the definitions that belong to this version.",
  },
  AddressOutsidePool: {
    problem: "is not in the pool that it was taken from",
    cure: "The Service keeps it. Put it back into a pool, or let the Service move: kubectl annotate service NAME bellhop.dev/reassign=now.",
  },
  ManifestInvalid: {
    problem: "is no valid YAML",
    cure: "Correct the indentation or the quotes at this line.",
  },
  VirtualIpInvalid: {
    problem: "is no valid claim of an address",
    cure: "Give it the address in its shortest form, and the name that is made from it (192.0.2.7, 2001-db8--7).",
  },
} as const satisfies Record<string, { readonly problem: string; readonly cure: string }>;

export type ReasonCode = keyof typeof reasonTable;

export const reasonCodes = Object.keys(reasonTable) as readonly ReasonCode[];

/** How reasons name a Service. */
export function serviceObject({ key }: { readonly key: string }): string {
  return `Service ${key}`;
}

/** How reasons name an annotation. */
export function annotationField(annotation: string): string {
  return `metadata.annotations[${annotation}]`;
}

/** A typed "no". It is returned, never thrown. */
export interface Reason {
  readonly code: ReasonCode;
  /** `Service shop/web`, `IPAddressPool lan`. */
  readonly object: string;
  /** Where in the object the cause stands: `spec.loadBalancerIP`. */
  readonly field: string;
  /** What stands there; empty where the field is not set. */
  readonly value: string;
  readonly problem: string;
  readonly cure: string;
}

/** `detail` says more than the table can: by whom an address is taken, which pools are full. */
export function reasonOf(
  code: ReasonCode,
  about: { readonly object: string; readonly field: string; readonly value: string; readonly detail?: string },
): Reason {
  const { problem, cure } = reasonTable[code];
  const { object, field, value, detail } = about;
  return { code, object, field, value, problem: detail === undefined ? problem : `${problem}: ${detail}`, cure };
}

/** One sentence or two: object, field, value, problem, cure. */
export function reasonMessage(reason: Reason): string {
  const value = reason.value === "" ? "" : ` ${JSON.stringify(reason.value.slice(0, 200))}`;
  return `${reason.object}: ${reason.field}${value} ${reason.problem}. ${reason.cure}`;
}
