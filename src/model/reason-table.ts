/**
 * Where users meet a reason: in an event and a condition of an object of this kind, or in the output of this command only. What
 * concerns a Service, `bellhop explain` shows too.
 */
export type ReasonPlace =
  | "Service"
  | "VirtualIP"
  | "IPAddressPool"
  | "L2Advertisement"
  | "Speaker"
  | "bellhop explain"
  | "bellhop move"
  | "bellhop drain"
  | "bellhop pools plan";

/** The texts of one reason. */
export interface ReasonText {
  /** Where users meet it. */
  readonly shownIn: readonly ReasonPlace[];
  /** When it occurs, for docs/reference/reasons.md; does not name an object. */
  readonly meaning: string;
  /**
   * What a user reads: whole sentences, in which `{object}`, `{field}` and `{value}` are replaced. A part in square
   * brackets is left out if a placeholder in it is empty.
   */
  readonly sentence: string;
  /** What to do about it. */
  readonly cure: string;
}

/** The texts of every reason, by code. A code is never renamed; its texts may change at any time. */
export const reasonTable = {
  RequestedAddressInvalid: {
    shownIn: ["Service"],
    meaning: "The Service requests something that is not an IP address.",
    sentence: "{object} requests {value} ({field}), which is not an IP address.",
    cure: "Write a plain IPv4 or IPv6 address, without a prefix length, a zone or leading zeros.",
  },
  RequestedAddressesAmbiguous: {
    shownIn: ["Service"],
    meaning: "The Service requests two addresses of the same IP family.",
    sentence: "{object} requests {value} ({field}) and another address of the same IP family.",
    cure: "Request one address per IP family, either in spec.loadBalancerIP or in the annotation bellhop.dev/ips.",
  },
  RequestedAddressWrongFamily: {
    shownIn: ["Service"],
    meaning: "The Service requests an address of an IP family that spec.ipFamilies does not include.",
    sentence: "{object} requests {value} ({field}), but spec.ipFamilies does not include the family of this address.",
    cure: "Request an address of a family in spec.ipFamilies, or add the family to spec.ipFamilies.",
  },
  RequestedAddressNotInPool: {
    shownIn: ["Service"],
    meaning: "The Service requests an address that no usable IPAddressPool contains.",
    sentence: "{object} requests {value} ({field}), which is not in any usable IPAddressPool.",
    cure: "Request an address from a pool, or add this address to a pool.",
  },
  RequestedAddressNotInNamedPool: {
    shownIn: ["Service"],
    meaning: "The Service requests an address and names a pool, and the pool does not contain the address.",
    sentence: "{object} requests {value} ({field}), which is not in the pool that the Service names.",
    cure: "Request an address from that pool, or name the pool that contains this address.",
  },
  RequestedAddressAvoided: {
    shownIn: ["Service"],
    meaning: "The Service requests an IPv4 address whose last part is 0 or 255, and its pool avoids these.",
    sentence: "{object} requests {value} ({field}), which its pool does not assign, because spec.avoidBuggyIPs is set.",
    cure: "Request another address, or set spec.avoidBuggyIPs of the pool to false.",
  },
  RequestedAddressTaken: {
    shownIn: ["Service"],
    meaning:
      "The Service requests an address that another Service, a node, another part of the cluster or another device on the LAN uses.",
    sentence: "{object} requests {value} ({field}), which is already taken.",
    cure: "Request another address, or release this one where it is used.",
  },
  RequestedAddressReserved: {
    shownIn: ["Service"],
    meaning: "The Service requests an address that a user has reserved with a VirtualIP for other Services.",
    sentence: "{object} requests {value} ({field}), which is reserved for other Services.",
    cure: "Request another address, add this Service to spec.services of that VirtualIP, or delete the VirtualIP.",
  },
  SharingKeyDiffers: {
    shownIn: ["Service"],
    meaning: "The Service requests an address of Services that have another sharing key.",
    sentence: "{object} requests {value} ({field}), which belongs to Services with another sharing key.",
    cure: "Use the same value in the annotation bellhop.dev/share of all these Services, or request another address.",
  },
  SharingKeyTooLong: {
    shownIn: ["Service"],
    meaning: "The sharing key of the Service is too long.",
    sentence: "{object} has the sharing key {value} ({field}), which is longer than 253 characters.",
    cure: "Use a shorter value in the annotation bellhop.dev/share of all Services that share the address.",
  },
  SharingTooManyPorts: {
    shownIn: ["Service"],
    meaning: "The Service has too many ports to share an address. On node addresses every Service shares.",
    sentence: "{object} has {value} ports ({field}), and a Service that shares an address can have at most 100.",
    cure: "Split the Service into several Services, or remove the annotation bellhop.dev/share and use a pool with addresses of its own.",
  },
  SharingFull: {
    shownIn: ["Service"],
    meaning: "The address already has as many Services as may share one address.",
    sentence: "{object} cannot use {value} ({field}), because 100 Services already share one of these addresses.",
    cure: "Request another address, or another pool.",
  },
  SharingPortTaken: {
    shownIn: ["Service"],
    meaning: "The Service requests a shared address on which another Service uses the same port.",
    sentence: "{object} requests {value} ({field}), where another Service already uses the same port.",
    cure: "Use another port number or protocol, or request another address.",
  },
  SharingPolicyDiffers: {
    shownIn: ["Service"],
    meaning:
      "The Service requests a shared address, but its traffic must go to other nodes or pods than that of the Services there.",
    sentence:
      "{object} requests {value} ({field}), which belongs to a Service whose traffic goes to other nodes or pods.",
    cure: "Use the same externalTrafficPolicy in both Services and, with Local, the same selector, or request another address.",
  },
  SharingForbiddenAcrossNamespaces: {
    shownIn: ["Service"],
    meaning:
      "The Service requests an address of a Service in another namespace, and neither the pool nor both Services allow that.",
    sentence: "{object} requests {value} ({field}), which belongs to a Service in another namespace.",
    cure: "List the other namespace in the annotation bellhop.dev/share-with of both Services, set spec.sharing.acrossNamespaces of the pool to true, or request another address.",
  },
  PoolNotFound: {
    shownIn: ["Service"],
    meaning: "The Service names an IPAddressPool that does not exist.",
    sentence: "{object} names pool {value} ({field}), but there is no IPAddressPool with this name.",
    cure: "Name an existing pool (kubectl get ipaddresspools), or create this one.",
  },
  PoolUnusable: {
    shownIn: ["Service"],
    meaning: "The Service names an IPAddressPool that is rejected, because something is wrong with it.",
    sentence: "{object} names pool {value} ({field}), which is rejected.",
    cure: "Fix the problem that the pool's condition Ready reports.",
  },
  PoolDraining: {
    shownIn: ["Service"],
    meaning: "Only pools in state Draining match the request. They keep the addresses in use and assign no new ones.",
    sentence: "{object} ({field} {value}) matches only pools that are draining, which assign no new addresses.",
    cure: "Use another pool, or set spec.state of the pool back to Active.",
  },
  PoolForbidsService: {
    shownIn: ["Service"],
    meaning: "The pool restricts by spec.serviceAllocation which Services it serves, and this one is not among them.",
    sentence: "{object} ({field} {value}) is not admitted by spec.serviceAllocation of the pool.",
    cure: "Use another pool, or admit the namespace or the labels of the Service in spec.serviceAllocation of the pool.",
  },
  PoolNotAutoAssigned: {
    shownIn: ["bellhop explain"],
    meaning: "The pool assigns addresses only to Services that name it, and the Service does not.",
    sentence: "{object} ({field} {value}) does not name a pool, and this pool serves only Services that name it.",
    cure: "Name the pool in the annotation bellhop.dev/pool of the Service, or set spec.autoAssign of the pool to true.",
  },
  PoolLacksFamily: {
    shownIn: ["Service"],
    meaning: "The Service names a pool that has no addresses of an IP family that the Service needs.",
    sentence: "{object} names pool {value} ({field}), which lacks addresses of an IP family of the Service.",
    cure: "Add addresses of that family to the pool, or remove the family from spec.ipFamilies.",
  },
  PoolExhausted: {
    shownIn: ["Service"],
    meaning: "All addresses of the pools that match the request are taken.",
    sentence: "{object} ({field} {value}) cannot get an address, because no address is free.",
    cure: "Add addresses to the pool, or delete Services that no longer need theirs.",
  },
  NoNodeAddress: {
    shownIn: ["Service", "IPAddressPool"],
    meaning: "The pool assigns node addresses, but no node can serve the Service.",
    sentence: "{object} cannot get the {value} address of any node of the pool ({field}).",
    cure: "Check that spec.nodeAddresses.nodeSelectors of the pool match nodes with addresses of this family (kubectl get nodes -o wide --show-labels) and, with externalTrafficPolicy Local, that one of these nodes runs a ready pod.",
  },
  NodeAddressPortTaken: {
    shownIn: ["Service"],
    meaning: "The Service needs a port on node addresses, and another Service or a reservation already has it.",
    sentence:
      "{object} cannot use {value} ({field}) on node addresses, because a port or the address is already taken.",
    cure: "Use another port number, or name a pool with addresses of its own in the annotation bellhop.dev/pool.",
  },
  NodeAddressPortReserved: {
    shownIn: ["Service"],
    meaning:
      "The Service needs a port on node addresses that the nodes use themselves, or that the pool reserves for them.",
    sentence: "{object} cannot use {value} ({field}) on node addresses, because the port is reserved for the nodes.",
    cure: "Use another port number, or name a pool with addresses of its own in the annotation bellhop.dev/pool.",
  },
  NodeAddressPortNotAllowed: {
    shownIn: ["Service"],
    meaning: "The Service needs a port on node addresses that the pool does not allow. The default is 80 and 443.",
    sentence: "{object} cannot use {value} ({field}) on node addresses, because the pool does not allow this port.",
    cure: "If nothing on the nodes listens on the port, add it to spec.nodeAddresses.allowedPorts of the pool. Otherwise use another port number.",
  },
  HoldLimitReached: {
    shownIn: ["Service"],
    meaning:
      "The pool holds addresses of deleted Services, but as many as are allowed are held for this namespace already.",
    sentence:
      "{object} leaves {value} ({field}), which is not held for it, because as many addresses as are allowed are held for its namespace already.",
    cure: "Wait until holds end, delete VirtualIPs that are held, or set --max-holds-per-namespace of the controller.",
  },
  ExternalIpLimitReached: {
    shownIn: ["Service", "bellhop explain"],
    meaning:
      "The Service lists addresses of pools in spec.externalIPs, but as many as are allowed are kept out of pools for its namespace already. Pools may assign the others to other Services.",
    sentence:
      "{object} lists {value} ({field}), which pools may assign to other Services, because as many addresses as are allowed are kept out of pools for its namespace already.",
    cure: "Exclude these addresses from the pools with spec.exclude, list fewer addresses in spec.externalIPs of the Services of this namespace, or set --max-external-ips-per-namespace of the controller.",
  },
  NoPool: {
    shownIn: ["Service"],
    meaning: "There is no IPAddressPool, or all of them are rejected.",
    sentence: "{object} cannot get an {value} address ({field}), because there is no usable IPAddressPool.",
    cure: "Create an IPAddressPool with addresses of your network that nothing else uses.",
  },
  NoPoolForService: {
    shownIn: ["Service"],
    meaning:
      "There are pools, but none of them assigns addresses of this IP family to this Service unless the Service names it.",
    sentence: "{object} matches no pool that auto-assigns {value} addresses ({field}).",
    cure: "Change spec.autoAssign or spec.serviceAllocation of a pool to admit the Service, or name a pool in the annotation bellhop.dev/pool.",
  },
  NoAnnouncer: {
    shownIn: ["Service", "VirtualIP"],
    meaning:
      "No node can announce the address: none has a running speaker, an interface on the subnet of the address and, if there are L2Advertisements, permission from one.",
    sentence:
      "{object} has {value} ({field}), which cannot be announced: no node with a running speaker is on its subnet and allowed to announce it.",
    cure: "Use addresses of a network that the nodes are on. Otherwise check that the speakers run (kubectl -n bellhop-system get pods -o wide) and that an L2Advertisement allows the announcement. The command bellhop explain service shows what is missing on each node.",
  },
  ForwardingDisabled: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "The kernel of the node does not forward packets that arrive at an interface, so the node cannot pass them to pods.",
    sentence: "{object} does not forward {value} packets: {field} is 0.",
    cure: "Set it to 1 on that node, also in a file in /etc/sysctl.d. Bellhop does not change sysctls.",
  },
  ReversePathFilterStrict: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "The node drops requests that arrive at an interface, because its route to the client is by another interface and the reverse path filter is strict.",
    sentence: "{object} drops requests that arrive at {value}, because its reverse path filter is strict ({field}).",
    cure: "Set the filter of that interface to 2 (loose), or announce the addresses on the interface of the route, with spec.interfaces of an L2Advertisement.",
  },
  ServiceProxyWithoutStrictArp: {
    shownIn: ["Speaker"],
    meaning:
      "The service proxy puts the addresses of all Services on an interface of each node, and the kernels answer ARP requests for them. Clients may reach any node, and connections break when they change.",
    sentence: "{object} answers ARP requests for the addresses on {value} itself ({field}).",
    cure: "Set ipvs.strictARP to true in the configuration of kube-proxy and restart it, or use another mode of kube-proxy.",
  },
  InternalIpNotOnNode: {
    shownIn: ["Speaker"],
    meaning:
      "The Node reports an InternalIP that none of its interfaces has. Bellhop does not use node ports at this address, but sends packets straight to pods.",
    sentence: "{object} has the InternalIP {value} ({field}), which is not on any of its interfaces.",
    cure: "If that is not intended, set --node-ip of the kubelet to an address of the node.",
  },
  ForwardPolicyDrop: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "A chain of the node's firewall drops forwarded packets that none of its rules accepts. Packets that go straight to pods, and not through kube-proxy, need such a rule. Docker sets this policy, for example.",
    sentence: "{object} drops forwarded {value} packets that no rule accepts: the policy of {field} is drop.",
    cure: "If Services without node ports are not reachable, accept packets to and from the networks of the pods in this chain, or set its policy to accept.",
  },
  NodePortsClosed: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "The node has Services that are forwarded by node ports, and kube-proxy does not open node ports at the InternalIP of the Node.",
    sentence:
      "{object} has no node ports at {value}, because {field} of kube-proxy does not include the address. Packets of Services with forwarding nodeport go straight to pods there.",
    cure: "Set nodePortAddresses of kube-proxy to the word primary alone, or add CIDRs that contain the InternalIP of each Node. Or use another forwarding.",
  },
  ServiceProxyLacksService: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "Connections to ports that are left to the rules of kube-proxy were dropped for more than 100 s, because no service proxy of the node has rules for the address.",
    sentence: "{object} drops connections to {value}, because no {field} of the node takes them.",
    cure: "If kube-proxy runs, read its log. If another service proxy runs that does not know addresses of load balancers, set forwarding of the pool or of the Service to nodeport or pods.",
  },
  ConntrackNearlyFull: {
    shownIn: ["Speaker"],
    meaning:
      "The node's table of tracked connections is more than 90 % full. When it is full, the kernel drops the packets of new connections.",
    sentence: "{object} tracks nearly as many connections as it can: {value} ({field}).",
    cure: "Raise the limit: conntrack.maxPerCore and conntrack.min in the configuration of kube-proxy, or the sysctl.",
  },
  HeartbeatKeyMissing: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "The Secret with the key of heartbeats does not exist. A speaker that starts without a key hears no other speaker, so that its addresses move only when its Lease expires.",
    sentence: "{object} cannot read {field}, because Secret {value} does not exist.",
    cure: "Check that a controller is running: it creates the Secret within a minute.",
  },
  HeartbeatKeyUnread: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning: "The speaker cannot read the Secret with the key of heartbeats, and does not learn of a new key.",
    sentence: "{object} cannot read {field} of Secret {value} from the API server.",
    cure: "Compare the Role and the RoleBinding bellhop-speaker in the namespace of the Secret with deploy/base/rbac-speaker.yaml. The answer of the API server is in the log of the speaker.",
  },
  HeartbeatKeyInvalid: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning: "A field of the Secret with the key of heartbeats is not a key.",
    sentence: "{object} cannot use {field} of Secret {value}.",
    cure: "If the field is data.previous, remove it. Otherwise delete the Secret: the controller creates it again within a minute.",
  },
  HeartbeatKeyDiffers: {
    shownIn: ["Speaker", "bellhop explain"],
    meaning:
      "The speaker receives heartbeats that are authenticated with a key that it does not have. Speakers with different keys do not hear each other.",
    sentence:
      "{object} receives heartbeats of other nodes that are authenticated with another key than {field} of Secret {value}.",
    cure: "Look at the condition Heartbeats of the other Speakers, and check that these nodes reach the API server. A speaker that has read the Secret uses its key within a minute.",
  },
  NotLoadBalancer: {
    shownIn: ["bellhop explain"],
    meaning: "The Service is not of type LoadBalancer.",
    sentence: "{object} has {field} {value}, but only Services of type LoadBalancer get an external address.",
    cure: "Set spec.type to LoadBalancer.",
  },
  ForeignClass: {
    shownIn: ["Service", "bellhop explain"],
    meaning: "The class of the Service belongs to another load balancer, so Bellhop ignores the Service.",
    sentence: "{object} has {field} {value}, which belongs to another load balancer. Bellhop ignores the Service.",
    cure: "Look for the cause in the other load balancer, or create the Service again with spec.loadBalancerClass bellhop.dev/bellhop. The class of a Service cannot be changed.",
  },
  NoDefaultClass: {
    shownIn: ["Service", "bellhop explain"],
    meaning: "The Service has no class, and the controller runs with --default-class=false.",
    sentence: "{object} does not set {field}, and this installation serves only Services with the class of Bellhop.",
    cure: "Create the Service again with spec.loadBalancerClass bellhop.dev/bellhop, or run the controller with --default-class=true.",
  },
  BeingDeleted: {
    shownIn: ["bellhop explain"],
    meaning: "The Service is being deleted, and its address is being released.",
    sentence: "{object} is being deleted ({field} is set), and its address is being released.",
    cure: "Wait until the Service is gone, then create it again if you still need it.",
  },
  ControllerAbsent: {
    shownIn: ["bellhop explain", "bellhop move", "bellhop drain"],
    meaning: "No controller holds the leader lease, so nothing changes.",
    sentence: "{object} has no current holder ({field}), so no controller is active.",
    cure: "Find out why no controller runs: kubectl -n bellhop-system get pods, then kubectl -n bellhop-system logs deploy/bellhop-controller.",
  },
  NotDoneYet: {
    shownIn: ["bellhop explain"],
    meaning: "The controller has decided about the Service, but has not updated it yet.",
    sentence: "{object} has not been updated yet ({field}[ {value}]).",
    cure: "Try again in a few seconds. If nothing changes, read the log of the controller: kubectl -n bellhop-system logs deploy/bellhop-controller.",
  },
  NotAnnouncedYet: {
    shownIn: ["bellhop explain"],
    meaning: "Nodes may announce the address, but none of them does at the moment.",
    sentence: "{object} ({field} {value}) is not announced by any node at the moment.",
    cure: "Try again in a few seconds. If nothing changes, read the log of the speaker on the first owner.",
  },
  NothingToMove: {
    shownIn: ["bellhop move"],
    meaning: "No Service has the address, or it is the address of a node itself, so no node is chosen to announce it.",
    sentence: "{object} ({field} {value}) is not announced by a node that Bellhop chooses.",
    cure: "Choose an address of a Service: kubectl get virtualips.",
  },
  NodeCannotAnnounce: {
    shownIn: ["bellhop move"],
    meaning: "The address is to move to a node that cannot announce it, or that comes after others.",
    sentence: "{object} cannot move to node {value}[ ({field})].",
    cure: "Choose another node: bellhop explain address ADDRESS lists those that may announce it.",
  },
  NoOtherAnnouncer: {
    shownIn: ["bellhop drain"],
    meaning: "The node is drained, and no other node can announce the address. It stays.",
    sentence: "{object} stays on node {value}[ ({field})], because no other node can announce it.",
    cure: "Let another node announce it. Without one, the address is not announced once this node stops.",
  },
  NotMovedYet: {
    shownIn: ["bellhop move", "bellhop drain"],
    meaning: "The address is to move to a node, or away from one, and has not moved in time.",
    sentence: "{object} has not moved yet: node {value}[ ({field})].",
    cure: "Start the command again; it continues to wait. If nothing changes, read the logs of the controller and of the speakers of both nodes.",
  },
  AddressConflict: {
    shownIn: ["Service", "bellhop explain"],
    meaning: "Another device on the LAN answers for the address, so some clients reach that device.",
    sentence: "{object} ({field} {value}) is also used by another device on the LAN.",
    cure: "Find that device by its MAC address and remove the address from it, or request another address.",
  },
  AddressUsedElsewhere: {
    shownIn: ["Service", "bellhop explain"],
    meaning:
      "The address of the Service is also used by a node, for example on an interface, by a router, or in spec.externalIPs of another Service. Some clients may not reach the Service.",
    sentence: "{object} has {value} ({field}), which is also used elsewhere.",
    cure: "Remove the address where it is used, or request another address.",
  },
  NoReadyEndpoint: {
    shownIn: ["bellhop explain"],
    meaning: "The address is announced, but the Service has no ready endpoints.",
    sentence: "{object} has no ready endpoints ({field}[ {value}]).",
    cure: "Check that pods match spec.selector and pass their readiness probes: kubectl describe service, kubectl get pods.",
  },
  NoLocalEndpoint: {
    shownIn: ["bellhop explain"],
    meaning:
      "With externalTrafficPolicy Local, only nodes with a ready pod serve the address, and none of them may announce it.",
    sentence: "{object} has {field} {value}, but no node that may announce its address runs a ready pod.",
    cure: "Run a pod on a node that may announce the address, or set spec.externalTrafficPolicy to Cluster.",
  },
  SourceRangeInvalid: {
    shownIn: ["Service"],
    meaning: "A source range of the Service is not a CIDR. It admits no client.",
    sentence:
      "{object} has source ranges that are not CIDRs ({field} {value}). They admit no client. In their IP family, or in both families if that is unclear, only clients in the other source ranges are admitted.",
    cure: "Write a network with its prefix length: 192.0.2.0/24 or 2001:db8::/32.",
  },
  ForwardingInvalid: {
    shownIn: ["Service"],
    meaning: "The forwarding mode of the Service is not one that Bellhop knows.",
    sentence:
      "{object} has {value} ({field}), which is not one of nodeport, pods and kube-proxy. The annotation is ignored.",
    cure: "Write one of these words, or remove the annotation.",
  },
  IpModeInvalid: {
    shownIn: ["Service"],
    meaning: "The ipMode that the Service requests does not exist.",
    sentence: "{object} has {value} ({field}), which is neither VIP nor Proxy. The annotation is ignored.",
    cure: "Write one of these words, or remove the annotation.",
  },
  IpModeProxyWithoutNodePort: {
    shownIn: ["Service"],
    meaning: "The Service requests ipMode Proxy, and some of its ports are not forwarded by their node port.",
    sentence:
      "{object} requests ipMode Proxy ({field}), but these ports are not forwarded by a node port: {value}. The ipMode stays VIP.",
    cure: "Set the annotation bellhop.dev/forwarding to nodeport and allocate node ports for all ports, none of which may be SCTP, or request ipMode VIP.",
  },
  AnnotationUnknown: {
    shownIn: ["Service"],
    meaning:
      "The Service has an annotation whose name begins with bellhop.dev/ and is not one that Bellhop reads. Most are typing errors.",
    sentence: "{object} has annotations that Bellhop does not know ({field} {value}). They have no effect.",
    cure: "Correct the name, or remove the annotation. Bellhop reads bellhop.dev/forwarding, ip-mode, ips, pool, reassign, share and share-with.",
  },
  PoolEmpty: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "The pool has no addresses.",
    sentence: "{object} cannot assign any address, because {field} is empty.",
    cure: "Add addresses of your network, or use those of the nodes with spec.nodeAddresses.",
  },
  PoolAllExcluded: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "The pool excludes all of its addresses.",
    sentence: "{object} cannot assign any address, because {field} ({value}) excludes all of them.",
    cure: "Exclude fewer addresses. To assign no new addresses for a while, set spec.state to Draining.",
  },
  PoolOfNodesMisfit: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "The pool assigns node addresses and sets a field that applies only to pools with addresses of their own.",
    sentence: "{object} sets {field} to {value}, which has no effect in a pool of node addresses.",
    cure: "Remove this field, or remove spec.nodeAddresses.",
  },
  PoolRangeInvalid: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "An entry of the pool is not a range of addresses.",
    sentence: "{object} has {value} in {field}, which is not a range of addresses.",
    cure: "Write a CIDR (192.0.2.0/24), a first and a last address (192.0.2.10-192.0.2.20), or a single address.",
  },
  PoolRangeSpecial: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning:
      "An entry of the pool contains loopback, multicast, unspecified, reserved, link-local or IPv4-mapped addresses.",
    sentence: "{object} has {value} in {field}, which contains addresses that no Service can use.",
    cure: "Remove these addresses.",
  },
  PoolRangesOverlap: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "Two entries of the pool have addresses in common.",
    sentence: "{object} has {value} in {field}, which overlaps another entry of the same pool.",
    cure: "Remove the common addresses from one of the two entries.",
  },
  PoolHoldInvalid: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning:
      "The time for which the pool holds addresses of deleted Services is not a duration, or is longer than a year.",
    sentence: "{object} sets {field} to {value}, which is not a duration of up to one year.",
    cure: "Write hours, minutes or seconds: 10m, 1h30m.",
  },
  PoolOverlapsServiceNetwork: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning:
      "The pool contains addresses of the cluster's Service network, where kube-proxy drops traffic to unassigned addresses.",
    sentence: "{object} has {value} in {field}, which overlaps the network of the cluster IPs.",
    cure: "Use addresses of your own network, or exclude the common ones with spec.exclude.",
  },
  PoolOverlapsPodNetwork: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "The pool contains addresses of the pod network of a node.",
    sentence: "{object} has {value} in {field}, which overlaps the pod network of a node.",
    cure: "Use addresses of your own network, or exclude the common ones with spec.exclude. If no pod has an address of that network, because the network plug-in uses another one, add PodCIDR to spec.allowOverlap of the pool.",
  },
  PoolOverlaps: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "The pool contains addresses of an older pool. The older pool stays in use.",
    sentence: "{object} has {value} in {field}, which overlaps an older pool.",
    cure: "Remove the common addresses from one of the two pools.",
  },
  PoolSchemaInvalid: {
    shownIn: ["IPAddressPool", "bellhop pools plan"],
    meaning: "The object does not match the schema of IPAddressPool.",
    sentence: "{object} does not match the schema of IPAddressPool[ in {field}][ ({value})].",
    cure: "Correct the field, or install the CustomResourceDefinitions of this version.",
  },
  AdvertisementInvalid: {
    shownIn: ["L2Advertisement"],
    meaning:
      "The object does not match the schema of L2Advertisement. It counts as an L2Advertisement that allows nothing.",
    sentence: "{object} does not match the schema of L2Advertisement[ in {field}][ ({value})].",
    cure: "Correct the field, or install the CustomResourceDefinitions of this version.",
  },
  MetallbFieldUnknown: {
    shownIn: ["IPAddressPool", "L2Advertisement"],
    meaning:
      "An object of MetalLB has a field that Bellhop does not know. It might restrict what the object allows, so Bellhop refuses the whole object.",
    sentence: "{object} sets {field}[ ({value})], which Bellhop does not know, so Bellhop refuses the object.",
    cure: "Remove the field, or create an object of Bellhop with the same name, which takes precedence.",
  },
  RulesRefused: {
    shownIn: ["Service", "VirtualIP"],
    meaning:
      "The kernel of a node refuses the nftables rules of the Service. The rules that the Service had before stay, and those of other Services are written. The controller prefers nodes that accept them.",
    sentence: "The kernel of {value} refuses the nftables rules of {object}[ ({field})].",
    cure: "The speaker tries again when the Service changes, and every five minutes. Its log on that node says more; a refusal by an up-to-date kernel is a bug in Bellhop.",
  },
  AddressOutsidePool: {
    shownIn: ["VirtualIP", "IPAddressPool"],
    meaning: "A Service keeps an address that the pools no longer contain.",
    sentence: "{object} has {value} ({field}), which is no longer in the pool that assigned it.",
    cure: "The Service keeps this address. Put it back into a pool, or move the Service: kubectl annotate service NAME bellhop.dev/reassign=now.",
  },
  ManifestInvalid: {
    shownIn: ["bellhop pools plan"],
    meaning: "The file is not valid YAML.",
    sentence: "{object} is not valid YAML.",
    cure: "Correct the indentation or the quotes at this line.",
  },
  AddressClaimInvalid: {
    shownIn: ["Service"],
    meaning:
      "The Service shows an address, and the VirtualIP of this address is not valid. Bellhop does not know whose address it is, so it changes nothing.",
    sentence: "{object} shows {value} ({field}), but the VirtualIP of this address is not valid.",
    cure: "Correct that VirtualIP (kubectl describe virtualips), or delete it: Bellhop then creates it again for the Service that shows the address.",
  },
  ShownAddressTaken: {
    shownIn: ["Service"],
    meaning:
      "Another client assigned the address that the Service shows, and it cannot be adopted, because a node or another part of the cluster uses it, or a VirtualIP reserves it for others. The Service stays as it is.",
    sentence:
      "{object} shows {value} ({field}), which another client assigned and which is used or reserved elsewhere.",
    cure: "Release the address where it is used or reserved, or request another one with spec.loadBalancerIP or the annotation bellhop.dev/ips or bellhop.dev/reassign.",
  },
  StatusOverwritten: {
    shownIn: ["Service"],
    meaning:
      "Another client, such as a second load balancer, replaces the addresses that Bellhop writes into the status of the Service.",
    sentence: "{object} is served by another client as well: {value} replaces {field}.",
    cure: "Switch the other load balancer off for this Service (k3s: --disable=servicelb), or create the Service with spec.loadBalancerClass of the one that is to serve it.",
  },
  SyncFailed: {
    shownIn: ["Service"],
    meaning: "What Bellhop planned for the Service could not be written. Bellhop tries again.",
    sentence: "{object} could not be updated[ ({field})][: {value}].",
    cure: "If this lasts, look at the log of the controller.",
  },
  VirtualIpInvalid: {
    shownIn: ["VirtualIP"],
    meaning:
      "A VirtualIP has an invalid address, a name that does not match its address, or a field that cannot be read. No Service gets its address.",
    sentence: "{object} is not a valid claim of {value} ({field}).",
    cure: "Write the address in its canonical form (RFC 5952), and name the VirtualIP after it: 192.0.2.7, 2001-db8--7.",
  },
} as const satisfies Record<string, ReasonText>;
