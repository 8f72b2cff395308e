import { formatAddress, type IpAddress, type IpFamily, ipFamilies } from "../../src/ip/address.ts";
import { forwardingDisabled, reversePathFilterStrict } from "../../src/model/host-reason.ts";
import { listSome, maxListed } from "../../src/model/list-some.ts";
import { maxValueLength, type Reason, reasonOf } from "../../src/model/reason.ts";
import type { DroppingChain } from "../../src/nft-netlink/forward-chains.ts";
import type { Link } from "../links/link.ts";
import { strictFilter } from "./cannot-serve.ts";
import type { HostFault } from "./host-fault.ts";
import type { HostSettings } from "./host-settings.ts";

/** What decides whether a setting is a fault. */
export interface HostFacts {
  /** Families of which there is an address of a Service in the cluster. */
  readonly families: ReadonlySet<IpFamily>;
  /** Interfaces on whose LAN there is an address of a Service, whichever node announces it. */
  readonly lanInterfaces: readonly string[];
  /** The node's interfaces, with the families that they cannot serve. */
  readonly links: readonly Link[];
  /** Names of the interfaces that this node announces IPv4 addresses from. */
  readonly announcingIPv4: ReadonlySet<string>;
  /** Interfaces of the node's IPv4 default routes in the main table. */
  readonly defaultRouteInterfaces: ReadonlySet<string>;
  /** An interface of a service proxy that has the addresses of all Services. Undefined: there is none. */
  readonly serviceProxyInterface: string | undefined;
  /** The InternalIPs of the Node that are on none of its interfaces, as text. */
  readonly missingNodeAddresses: readonly string[];
  /** The InternalIPs at which kube-proxy does not open node ports. */
  readonly closedInternalIps: readonly IpAddress[];
  /** Families of which ports are forwarded by node ports, where these can be reached. */
  readonly nodePortFamilies: ReadonlySet<IpFamily>;
  /** Ports that the service proxy has not taken for a long time, as text. */
  readonly untakenPorts: readonly string[];
  /** Chains that drop forwarded packets which none of their rules accepts. */
  readonly droppingChains: readonly DroppingChain[];
  /** Whether the table of connections was nearly full the time before. */
  readonly conntrackWasFull: boolean;
}

/** The table is nearly full from this part on, and no longer once it is below the other. */
const nearlyFull = 0.9;
const noLongerFull = 0.8;

/** What is wrong with the settings of the node, in a fixed order. Pure. */
export function findHostFaults(settings: HostSettings, facts: HostFacts): readonly HostFault[] {
  return [
    ...findForwarding(facts),
    ...findReversePathFilter(settings, facts),
    ...findStrictArp(settings, facts),
    ...findNodeAddress(facts),
    ...findNodePorts(facts),
    ...findServiceProxy(facts),
    ...findForwardPolicy(facts),
    ...findConntrack(settings, facts),
  ];
}

function findForwarding({ links, families, lanInterfaces }: HostFacts): readonly HostFault[] {
  const found = new Map<string, Reason>();
  for (const { name, cannotServe = [] } of links) {
    if (!lanInterfaces.includes(name)) continue;
    for (const { family, reason } of cannotServe) {
      if (reason !== "ForwardingDisabled" || !families.has(family)) continue;
      const full = forwardingDisabled(name, family);
      found.set(full.field, full);
    }
  }
  return [...found.values()].map((reason) => ({ type: "Forwarding", status: "False", reason }));
}

function findReversePathFilter(settings: HostSettings, facts: HostFacts): readonly HostFault[] {
  return facts.links
    .filter(({ name }) => facts.announcingIPv4.has(name) && settings.interfaces.get(name)?.rpFilter === strictFilter)
    .flatMap((link) => filteredClients(link, facts))
    .map((reason) => ({ type: "ReversePathFilter", status: "False", reason }));
}

/** Requests by a router come from anywhere, so the route to these clients is a default route. */
function filteredClients(link: Link, { defaultRouteInterfaces }: HostFacts): readonly Reason[] {
  const onLan = (link.cannotServe ?? []).some(({ reason }) => reason === "ReversePathFilterStrict");
  if (onLan) return [reversePathFilterStrict(link.name, "the clients on its LAN", "another interface")];
  const [via] = [...defaultRouteInterfaces].sort();
  return via === undefined || defaultRouteInterfaces.has(link.name)
    ? []
    : [reversePathFilterStrict(link.name, "clients behind routers", via)];
}

/** arp_ignore 1 and 2 keep the kernel from answering at one interface for addresses of another; 3 does not (ip-sysctl.rst). */
function answersForOthers(arpIgnore: number | undefined): boolean {
  return arpIgnore === 0 || arpIgnore === 3;
}

/** From 2 on, the kernel never uses an address of another interface as the source of ARP requests. */
const strictAnnounce = 2;

function findStrictArp(settings: HostSettings, facts: HostFacts): readonly HostFault[] {
  const { lanInterfaces, serviceProxyInterface, families } = facts;
  if (serviceProxyInterface === undefined || !families.has("IPv4")) return [];
  const loose = lanInterfaces.flatMap((name) => {
    const own = settings.interfaces.get(name);
    const ignores = answersForOthers(own?.arpIgnore) ? ["net.ipv4.conf.all.arp_ignore"] : [];
    const announces = (own?.arpAnnounce ?? strictAnnounce) < strictAnnounce ? ["net.ipv4.conf.all.arp_announce"] : [];
    return [...ignores, ...announces];
  });
  if (loose.length === 0) return [];
  const field = [...new Set(loose)].sort().reverse().join(" and ");
  const reason = reasonOf("ServiceProxyWithoutStrictArp", {
    object: "The node",
    field,
    value: serviceProxyInterface,
  });
  return [{ type: "StrictArp", status: "False", reason }];
}

function findNodeAddress({ missingNodeAddresses }: HostFacts): readonly HostFault[] {
  if (missingNodeAddresses.length === 0) return [];
  const value = missingNodeAddresses.join(", ");
  const reason = reasonOf("InternalIpNotOnNode", { object: "The node", field: "status.addresses", value });
  return [{ type: "NodeAddress", status: "False", reason }];
}

function findNodePorts({ closedInternalIps, nodePortFamilies }: HostFacts): readonly HostFault[] {
  const closed = closedInternalIps.filter(({ family }) => nodePortFamilies.has(family));
  if (closed.length === 0) return [];
  const value = closed.map(formatAddress).join(", ");
  const reason = reasonOf("NodePortsClosed", { object: "The node", field: "nodePortAddresses", value });
  return [{ type: "NodePorts", status: "False", reason }];
}

function findServiceProxy({ untakenPorts }: HostFacts): readonly HostFault[] {
  if (untakenPorts.length === 0) return [];
  const value = listWhole(untakenPorts);
  const reason = reasonOf("ServiceProxyLacksService", { object: "The node", field: "service proxy", value });
  return [{ type: "ServiceProxy", status: "False", reason }];
}

/** As many as a reason holds without cutting one: `bellhop explain` looks for addresses in the message. */
function listWhole(texts: readonly string[]): string {
  let most = maxListed;
  while (most > 1 && listSome(texts, most).length > maxValueLength) most -= 1;
  return listSome(texts, most);
}

/** An accept of one chain does not override the drop of another (nft(8), "chain priority"), so no rule of ours helps. */
function findForwardPolicy({ droppingChains, families }: HostFacts): readonly HostFault[] {
  return droppingChains.flatMap(({ family, table, chain }): readonly HostFault[] => {
    const concerned = ipFamilies.filter((one) => families.has(one) && chainFamilies[family].has(one));
    if (concerned.length === 0) return [];
    const field = `chain ${family} ${table} ${chain}`;
    const reason = reasonOf("ForwardPolicyDrop", { object: "The node", field, value: concerned.join(", ") });
    return [{ type: "ForwardPolicy", status: "Unknown", reason }];
  });
}

const chainFamilies: Readonly<Record<DroppingChain["family"], ReadonlySet<IpFamily>>> = {
  ip: new Set(["IPv4"]),
  ip6: new Set(["IPv6"]),
  inet: new Set(ipFamilies),
};

function findConntrack({ conntrack }: HostSettings, { conntrackWasFull }: HostFacts): readonly HostFault[] {
  // 0: the size of the table is not limited.
  if (conntrack === undefined || conntrack.max === 0) return [];
  const limit = conntrackWasFull ? noLongerFull : nearlyFull;
  if (conntrack.count < conntrack.max * limit) return [];
  const reason = reasonOf("ConntrackNearlyFull", {
    object: "The node",
    field: "net.netfilter.nf_conntrack_max",
    value: String(conntrack.max),
  });
  return [{ type: "ConnectionTracking", status: "False", reason }];
}
