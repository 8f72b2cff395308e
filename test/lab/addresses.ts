/** The address plan: fixed, because every lab has networks of its own and nothing outside can see them. */

export const LAN = { ipv4: "172.30.0.0/24", ipv6: "fd30::/64" };
export const FAR_LAN = { ipv4: "172.31.0.0/24", ipv6: "fd31::/64" };
export const POD_RANGES = { ipv4: "10.244.0.0/16", ipv6: "fd44::/48" };
export const SERVICE_RANGES = { ipv4: "10.96.0.0/16", ipv6: "fd96::/112" };
/** The first address of each Service range, which always belongs to the API server's own Service. */
export const API_SERVICE = { ipv4: "10.96.0.1", ipv6: "fd96::1" };
/** The cluster DNS, in labs that have one. */
export const DNS_SERVICE = { ipv4: "10.96.0.10", ipv6: "fd96::a" };

export const MAX_NODES = 7;

export interface Addresses {
  ipv4: string;
  ipv6: string;
}

/** Which IP families a lab has; with both, IPv4 comes first. */
export type LabFamilies = "dual" | "ipv4" | "ipv6";

/** What the lab's families have of a thing that comes in both, the primary family first. */
export function ofFamilies(families: LabFamilies, { ipv4, ipv6 }: Addresses): string[] {
  return families === "dual" ? [ipv4, ipv6] : [families === "ipv4" ? ipv4 : ipv6];
}

/** What the primary family of the lab has. */
export function primary(families: LabFamilies, addresses: Addresses): string {
  return families === "ipv6" ? addresses.ipv6 : addresses.ipv4;
}

/** As it is written in a URL, or before a port. */
export function inUrl(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** The addresses of the hosts, without the prefix length; the router's are those of its two sides. */
export const CONTROL: Addresses = { ipv4: "172.30.0.10", ipv6: "fd30::10" };
export const CLIENT: Addresses = { ipv4: "172.30.0.100", ipv6: "fd30::100" };
export const OBSERVER: Addresses = { ipv4: "172.30.0.101", ipv6: "fd30::101" };
export const ROUTER: Addresses = { ipv4: "172.30.0.1", ipv6: "fd30::1" };
export const FAR_ROUTER: Addresses = { ipv4: "172.31.0.1", ipv6: "fd31::1" };
export const REMOTE: Addresses = { ipv4: "172.31.0.100", ipv6: "fd31::100" };

/** Free addresses of the LAN, which no host of the lab ever uses: for pools of load balancer addresses. */
export const FREE_RANGES = { ipv4: "172.30.0.200-172.30.0.250", ipv6: "fd30::200-fd30::2ff" };

/** The names of a lab's nodes: n1, n2, … */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index + 1}`);
}

function nodeNumber(node: string): number {
  return Number(node.slice(1));
}

/** n1 has 172.30.0.11 and fd30::11. */
export function nodeAddresses(node: string): Addresses {
  return { ipv4: `172.30.0.1${nodeNumber(node)}`, ipv6: `fd30::1${nodeNumber(node)}` };
}

/** The pod ranges of a node, chosen here and not left to chance: n1 has 10.244.1.0/24 and fd44:0:0:1::/64. */
export function nodePodRanges(node: string): Addresses {
  return { ipv4: `10.244.${nodeNumber(node)}.0/24`, ipv6: `fd44:0:0:${nodeNumber(node)}::/64` };
}

/** A MAC address made from the IPv4 address, so that a host keeps it when it is switched off and on. */
export function macAddress(ipv4: string): string {
  const bytes = ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return `02:be:${bytes.join(":")}`;
}
