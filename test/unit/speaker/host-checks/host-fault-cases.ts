import type { IpFamily } from "../../../../src/ip/address.ts";
import type { ReasonCode } from "../../../../src/model/reason.ts";
import type { DroppingChain } from "../../../../src/nft-netlink/forward-chains.ts";
import type { InterfaceFixture, RouteFixture } from "../links/host-network-fixture.ts";

/** A node with these interfaces and sysctls, and what is wrong with it. */
export interface HostFaultCase {
  readonly name: string;
  /** By path below /proc/sys/net. */
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly interfaces?: Readonly<Record<string, InterfaceFixture>>;
  readonly routes?: readonly RouteFixture[];
  /** VirtualIPs by name. Default: an IPv4 address on the LAN of eth0. */
  readonly virtualIps?: readonly string[];
  /** Interfaces that have an address of a Service on their LAN, and the addresses announced there. Default: eth0. */
  readonly announced?: Readonly<Record<string, readonly string[]>>;
  readonly internalIPs?: readonly string[];
  /** Undefined: kube-proxy does not say. */
  readonly nodePortAddresses?: readonly string[];
  readonly nodePortFamilies?: readonly IpFamily[];
  readonly untakenPorts?: readonly string[];
  readonly droppingChains?: readonly DroppingChain[];
  /** Condition, reason and field of each fault. */
  readonly faults: readonly `${string} ${ReasonCode} ${string}`[];
  /** Interface, family and reason. */
  readonly cannotServe?: readonly string[];
}

const lan: RouteFixture = { by: "eth0", to: "192.0.2.0/24", metric: 100 };
const twoOnOneLan = {
  interfaces: { eth0: { addresses: ["192.0.2.11/24"] }, eth1: { addresses: ["192.0.2.12/24"] } },
  routes: [lan, { by: "eth1", to: "192.0.2.0/24", metric: 200 }],
};
const twoLans = {
  interfaces: { eth0: { addresses: ["192.0.2.11/24"] }, eth1: { addresses: ["198.51.100.11/24"] } },
  routes: [lan, { by: "eth0", to: "default", via: "192.0.2.1", metric: 100 }],
  announced: { eth0: [], eth1: ["198.51.100.200"] },
};
const ipvs = { eth0: { addresses: ["192.0.2.11/24"] }, "kube-ipvs0": { addresses: ["192.0.2.200/32"] } };
const strictArp = { "ipv4/conf/all/arp_ignore": "1", "ipv4/conf/all/arp_announce": "2" };
const looseArp = { "ipv4/conf/all/arp_ignore": "0", "ipv4/conf/all/arp_announce": "0" };

export const hostFaultCases: readonly HostFaultCase[] = [
  {
    name: "the service proxy does not take a port",
    untakenPorts: ["192.0.2.200 port 80/TCP"],
    faults: ["ServiceProxy ServiceProxyLacksService service proxy"],
  },
  {
    name: "node ports are closed at the InternalIP, and Services depend on them",
    internalIPs: ["192.0.2.11", "2001:db8::11"],
    nodePortAddresses: ["198.51.100.0/24"],
    nodePortFamilies: ["IPv4", "IPv6"],
    faults: ["NodeAddress InternalIpNotOnNode status.addresses", "NodePorts NodePortsClosed nodePortAddresses"],
  },
  {
    name: "node ports are closed at the InternalIP, and no Service of the family depends on them",
    internalIPs: ["192.0.2.11"],
    nodePortAddresses: ["198.51.100.0/24"],
    nodePortFamilies: ["IPv6"],
    faults: [],
  },
  { name: "nothing can be read", faults: [] },
  {
    name: "everything is as it should be",
    sysctls: {
      "ipv4/conf/eth0/forwarding": "1",
      "ipv6/conf/all/forwarding": "1",
      "ipv4/conf/all/rp_filter": "0",
      "ipv4/conf/eth0/rp_filter": "1",
      "netfilter/nf_conntrack_count": "10",
      "netfilter/nf_conntrack_max": "100",
    },
    routes: [lan, { by: "eth0", to: "default", via: "192.0.2.1" }],
    internalIPs: ["192.0.2.11"],
    faults: [],
  },
  {
    name: "the interface does not forward, although ip_forward is on",
    sysctls: { "ipv4/ip_forward": "1", "ipv4/conf/all/forwarding": "1", "ipv4/conf/eth0/forwarding": "0" },
    faults: ["Forwarding ForwardingDisabled net.ipv4.conf.eth0.forwarding"],
    cannotServe: ["eth0 IPv4 ForwardingDisabled"],
  },
  {
    name: "an interface does not forward on whose LAN there is no address",
    interfaces: { eth0: { addresses: ["192.0.2.11/24"] }, eth1: { addresses: ["198.51.100.11/24"] } },
    sysctls: { "ipv4/conf/eth0/forwarding": "1", "ipv4/conf/eth1/forwarding": "0" },
    faults: [],
    cannotServe: ["eth1 IPv4 ForwardingDisabled"],
  },
  {
    name: "IPv6 is not forwarded, and no Service has an IPv6 address",
    interfaces: { eth0: { addresses: ["192.0.2.11/24", "2001:db8::11/64"] } },
    sysctls: { "ipv4/conf/eth0/forwarding": "1", "ipv6/conf/all/forwarding": "0" },
    faults: [],
    cannotServe: ["eth0 IPv6 ForwardingDisabled"],
  },
  {
    name: "IPv6 is not forwarded, and a Service has an IPv6 address",
    interfaces: { eth0: { addresses: ["2001:db8::11/64"] } },
    sysctls: { "ipv6/conf/all/forwarding": "0", "ipv6/conf/eth0/forwarding": "1" },
    virtualIps: ["2001-db8--200"],
    faults: ["Forwarding ForwardingDisabled net.ipv6.conf.all.forwarding"],
    cannotServe: ["eth0 IPv6 ForwardingDisabled"],
  },
  {
    name: "IPv6 is forwarded from one interface alone",
    interfaces: { eth0: { addresses: ["2001:db8::11/64"] } },
    sysctls: { "ipv6/conf/all/forwarding": "0", "ipv6/conf/eth0/force_forwarding": "1" },
    virtualIps: ["2001-db8--200"],
    faults: [],
  },
  {
    name: "a node without IPv6 in a cluster with both families",
    sysctls: { "ipv4/conf/eth0/forwarding": "1", "ipv6/conf/all/forwarding": "0" },
    virtualIps: ["192.0.2.200", "2001-db8--200"],
    faults: [],
  },
  {
    name: "an interface without addresses that a user may name",
    interfaces: { eth0: { addresses: ["192.0.2.11/24"] }, "eth0.20": { kind: "vlan" } },
    sysctls: { "ipv4/conf/eth0/forwarding": "1", "ipv4/conf/eth0.20/forwarding": "0" },
    announced: { eth0: [], "eth0.20": ["203.0.113.9"] },
    faults: ["Forwarding ForwardingDisabled net.ipv4.conf.eth0.20.forwarding"],
    cannotServe: ["eth0.20 IPv4 ForwardingDisabled"],
  },
  {
    name: "the filter is strict on an interface whose LAN is reached by another one",
    ...twoOnOneLan,
    sysctls: { "ipv4/conf/all/rp_filter": "1" },
    announced: { eth0: ["192.0.2.200"] },
    faults: [],
    cannotServe: ["eth1 IPv4 ReversePathFilterStrict"],
  },
  {
    name: "an address is announced there all the same",
    ...twoOnOneLan,
    sysctls: { "ipv4/conf/all/rp_filter": "0", "ipv4/conf/eth1/rp_filter": "1" },
    announced: { eth1: ["192.0.2.200"] },
    faults: ["ReversePathFilter ReversePathFilterStrict net.ipv4.conf.eth1.rp_filter"],
    cannotServe: ["eth1 IPv4 ReversePathFilterStrict"],
  },
  {
    name: "the larger value of all and the interface counts: loose",
    ...twoOnOneLan,
    sysctls: { "ipv4/conf/all/rp_filter": "1", "ipv4/conf/eth1/rp_filter": "2" },
    announced: { eth1: ["192.0.2.200"] },
    faults: [],
  },
  {
    name: "the filter is strict, and the default route is by another interface",
    ...twoLans,
    sysctls: { "ipv4/conf/eth1/rp_filter": "1" },
    faults: ["ReversePathFilter ReversePathFilterStrict net.ipv4.conf.eth1.rp_filter"],
  },
  {
    name: "the same, but nothing is announced there",
    ...twoLans,
    announced: { eth0: ["192.0.2.200"] },
    sysctls: { "ipv4/conf/eth1/rp_filter": "1" },
    faults: [],
  },
  {
    name: "there is no default route",
    ...twoLans,
    routes: [lan],
    sysctls: { "ipv4/conf/eth1/rp_filter": "1" },
    faults: [],
  },
  {
    name: "kube-proxy in ipvs mode, without strictARP",
    interfaces: ipvs,
    sysctls: looseArp,
    faults: ["StrictArp ServiceProxyWithoutStrictArp net.ipv4.conf.all.arp_ignore and net.ipv4.conf.all.arp_announce"],
  },
  { name: "kube-proxy in ipvs mode, with strictARP", interfaces: ipvs, sysctls: strictArp, faults: [] },
  {
    name: "kube-proxy in ipvs mode, and only the source of requests is not strict",
    interfaces: ipvs,
    sysctls: { ...strictArp, "ipv4/conf/all/arp_announce": "1" },
    faults: ["StrictArp ServiceProxyWithoutStrictArp net.ipv4.conf.all.arp_announce"],
  },
  { name: "another mode of kube-proxy", sysctls: looseArp, faults: [] },
  {
    name: "the neighbours of IPv6 addresses are found per interface, so strictARP does not matter",
    interfaces: ipvs,
    sysctls: looseArp,
    virtualIps: ["2001-db8--200"],
    faults: [],
  },
  {
    name: "the InternalIP is on no interface",
    internalIPs: ["203.0.113.7"],
    faults: ["NodeAddress InternalIpNotOnNode status.addresses"],
  },
  {
    name: "the InternalIP is on the loopback interface",
    interfaces: { eth0: { addresses: ["192.0.2.11/24"] }, lo: { loopback: true, addresses: ["203.0.113.7/32"] } },
    internalIPs: ["203.0.113.7"],
    faults: [],
  },
  {
    name: "Docker has set the policy of FORWARD",
    droppingChains: [
      { family: "ip", table: "filter", chain: "FORWARD" },
      { family: "ip6", table: "filter", chain: "FORWARD" },
    ],
    faults: ["ForwardPolicy ForwardPolicyDrop chain ip filter FORWARD"],
  },
  {
    name: "a firewall for both families drops by its policy",
    droppingChains: [{ family: "inet", table: "fw", chain: "forward" }],
    virtualIps: ["2001-db8--200"],
    faults: ["ForwardPolicy ForwardPolicyDrop chain inet fw forward"],
  },
  { name: "the InternalIP is not an address", internalIPs: ["n1.example"], faults: [] },
  {
    name: "the table of connections is nearly full",
    sysctls: { "netfilter/nf_conntrack_count": "90", "netfilter/nf_conntrack_max": "100" },
    faults: ["ConnectionTracking ConntrackNearlyFull net.netfilter.nf_conntrack_max"],
  },
  {
    name: "the table of connections has no limit",
    sysctls: { "netfilter/nf_conntrack_count": "90", "netfilter/nf_conntrack_max": "0" },
    faults: [],
  },
];
