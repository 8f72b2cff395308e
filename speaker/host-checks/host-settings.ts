import type { IpFamily } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import type { Link } from "../links/link.ts";

/** What the kernel does at one interface. Undefined: it cannot be read, or the kernel lacks the family. */
export interface InterfaceSettings {
  /** Whether packets that arrive here are forwarded. */
  readonly forwarding: Readonly<Record<IpFamily, boolean | undefined>>;
  /** net.ipv4.conf.*.rp_filter: 0 off, 1 strict, 2 loose. The kernel uses the larger one of `all` and the interface. */
  readonly rpFilter: number | undefined;
  /** net.ipv4.conf.*.arp_ignore; the larger one again. */
  readonly arpIgnore: number | undefined;
  /** net.ipv4.conf.*.arp_announce; the larger one again. */
  readonly arpAnnounce: number | undefined;
}

/** Settings of the node's kernel that decide about packets for the addresses of Services. Plain data. */
export interface HostSettings {
  /** By name: the interfaces that are or may be on a LAN. */
  readonly interfaces: ReadonlyMap<string, InterfaceSettings>;
  /** Connections that are tracked now, and how many the table holds. Undefined: nothing tracks connections, or it cannot be read. */
  readonly conntrack: { readonly count: number; readonly max: number } | undefined;
  /** net.netfilter.nf_conntrack_tcp_loose. Missing: nothing tracks connections, or it cannot be read. */
  readonly tcpLoose?: boolean | undefined;
}

/** The content of a file, or undefined if there is none. */
export type ReadSetting = (path: string) => string | undefined;

/** Reads the settings (Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst) for the interfaces that may be on a LAN. */
export function readHostSettings(links: readonly Link[], read: ReadSetting): HostSettings {
  const readNumber = (name: string): number | undefined => numberOf(read(`/proc/sys/net/${name}`));
  const ipv4 = (interfaceName: string, setting: string) => readNumber(`ipv4/conf/${interfaceName}/${setting}`);
  const all = {
    rpFilter: ipv4("all", "rp_filter"),
    arpIgnore: ipv4("all", "arp_ignore"),
    arpAnnounce: ipv4("all", "arp_announce"),
    forwardingIPv6: readNumber("ipv6/conf/all/forwarding"),
  };
  const lans = links.filter(mayBeOnLan);
  const interfaces = lans.map(({ name }): readonly [string, InterfaceSettings] => {
    // ip6_forward in net/ipv6/ip6_output.c; kernels before 6.17 have no force_forwarding.
    const forced = all.forwardingIPv6 === 0 ? readNumber(`ipv6/conf/${name}/force_forwarding`) : undefined;
    return [
      name,
      {
        forwarding: { IPv4: isOn(ipv4(name, "forwarding")), IPv6: isOn(larger(all.forwardingIPv6, forced)) },
        rpFilter: larger(all.rpFilter, ipv4(name, "rp_filter")),
        arpIgnore: larger(all.arpIgnore, ipv4(name, "arp_ignore")),
        arpAnnounce: larger(all.arpAnnounce, ipv4(name, "arp_announce")),
      },
    ];
  });
  const [count, max] = [readNumber("netfilter/nf_conntrack_count"), readNumber("netfilter/nf_conntrack_max")];
  return {
    interfaces: new Map(interfaces),
    conntrack: count === undefined || max === undefined ? undefined : { count, max },
    tcpLoose: isOn(readNumber("netfilter/nf_conntrack_tcp_loose")),
  };
}

/** A subnet of one address does not make a LAN; of interfaces without addresses, `readLinks` keeps only those that may lead to one. */
export function mayBeOnLan({ subnets }: Link): boolean {
  return subnets.length === 0 || subnets.some(isLan);
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+\s*$/.test(text) ? Number(text) : undefined;
}

/** IN_DEV_MAXCONF (linux/inetdevice.h). Undefined if the interface's own value is unknown and `all` alone does not decide. */
function larger(all: number | undefined, own: number | undefined): number | undefined {
  return all === undefined ? own : own === undefined ? all : Math.max(all, own);
}

function isOn(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 0;
}
