import type { DataType } from "../../src/nft/data-type.ts";
import type { NftSet } from "../../src/nft/set.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import type { SetName } from "./element.ts";

const addressType = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;

function declare(family: NftIpFamily): Readonly<Record<SetName, NftSet>> {
  const address = addressType[family];
  const service = [address, "inet_proto", "inet_service"] as const satisfies readonly DataType[];
  const nodePort = ["inet_proto", "inet_service"] as const satisfies readonly DataType[];
  // The index has no type name, so the type is given by an example of the key. That example must name a protocol, and all rules on
  // the map the same one: nft 1.0.6 takes `th dport` at first, and then refuses every further rule on the map ("conflicting
  // protocols specified").
  const endpoints = (protocol: "tcp" | "udp"): NftSet => ({
    name: `${protocol}_endpoints`,
    key: [address, "inet_service", "integer"],
    data: [address, "inet_service"],
    typeof: {
      key: [`${family} daddr`, `${protocol} dport`, "numgen random mod 2"],
      data: [`${family} daddr`, `${protocol} dport`],
    },
  });
  return {
    lan_interfaces: { name: "lan_interfaces", key: ["ifname"] },
    service_addresses: { name: "service_addresses", key: [address] },
    source_range_services: { name: "source_range_services", key: service },
    source_ranges: { name: "source_ranges", key: [...service, address], interval: true },
    no_endpoint_services: { name: "no_endpoint_services", key: service },
    peer_macs: { name: "peer_macs", key: ["ether_addr"] },
    unknown_flows: { name: "unknown_flows", key: [address, "inet_proto"], data: "verdict" },
    passed_flows: { name: "passed_flows", key: [address, "inet_proto"], data: "verdict" },
    returned_flows: { name: "returned_flows", key: [address, "inet_proto"], data: "verdict" },
    next_hop_macs: { name: "next_hop_macs", key: [address, "ether_addr"] },
    proxied_services: { name: "proxied_services", key: service },
    in_cluster_services: { name: "in_cluster_services", key: service },
    node_ports: { name: "node_ports", key: service, data: ["inet_service"] },
    reply_addresses: { name: "reply_addresses", key: nodePort, data: [address] },
    reply_ports: { name: "reply_ports", key: nodePort, data: ["inet_service"] },
    source_range_node_ports: { name: "source_range_node_ports", key: nodePort },
    node_port_source_ranges: { name: "node_port_source_ranges", key: [...nodePort, address], interval: true },
    dnat_services: { name: "dnat_services", key: service, data: "verdict" },
    ping_addresses: { name: "ping_addresses", key: [address], data: [address] },
    affinity_addresses: { name: "affinity_addresses", key: [address], data: "verdict" },
    affinity_services: { name: "affinity_services", key: service, data: "verdict" },
    affinity_endpoints: { name: "affinity_endpoints", key: [...service, address, "inet_service"] },
    tcp_endpoints: endpoints("tcp"),
    udp_endpoints: endpoints("udp"),
    remote_endpoints: { name: "remote_endpoints", key: [address, "inet_proto", address, "inet_service"] },
  };
}

/** The sets and maps of our table in each family. */
export const sets: Readonly<Record<NftIpFamily, Readonly<Record<SetName, NftSet>>>> = {
  ip: declare("ip"),
  ip6: declare("ip6"),
};

/** So many clients with session affinity are remembered in each family and set, which takes about 10 MiB of the kernel's memory. */
const maxAffinityClients = 65_536;

/** The default of Kubernetes. Each element has its own. */
const affinityTimeoutMs = 10_800_000;

function declareAffinityClients(family: NftIpFamily): NftSet {
  const address = addressType[family];
  return {
    name: "affinity_clients",
    key: [address, address, "inet_proto", "inet_service"],
    data: [address, "inet_service"],
    dynamic: true,
    timeoutMs: affinityTimeoutMs,
    size: maxAffinityClients,
  };
}

/** The map that packets fill: the endpoint of each client of a port with session affinity. */
export const affinityClients: Readonly<Record<NftIpFamily, NftSet>> = {
  ip: declareAffinityClients("ip"),
  ip6: declareAffinityClients("ip6"),
};

function declareLearnedClients(family: NftIpFamily): NftSet {
  const address = addressType[family];
  return {
    name: "learned_clients",
    key: [address, address, "inet_proto", "inet_service", address],
    dynamic: true,
    timeoutMs: affinityTimeoutMs,
    size: maxAffinityClients,
  };
}

/**
 * The set that packets fill: clients of ports with session affinity that are left to kube-proxy, each with the addresses of the endpoints that it was
 * sent to. Not a map: the kernel renews an element of a map without changing its data (net/netfilter/nft_set_hash.c, nft_rhash_update), so a client
 * that kube-proxy sends elsewhere would keep the endpoint that it had first. Without the port of the endpoint: the kernel keeps the type of a key in 32
 * bits, in which nft(8) finds five parts and no sixth (src/datatype.c, concat_type_alloc).
 */
export const learnedClients: Readonly<Record<NftIpFamily, NftSet>> = {
  ip: declareLearnedClients("ip"),
  ip6: declareLearnedClients("ip6"),
};

/** How long a port counts as not taken after a connection was dropped. */
export const untakenMs = 60_000;

/** The set that packets fill: ports that are left to a service proxy, and that it has not taken. When it is full, further ones are missing. */
export const untakenServices: Readonly<Record<NftIpFamily, NftSet>> = {
  ip: declareUntaken("ip"),
  ip6: declareUntaken("ip6"),
};

function declareUntaken(family: NftIpFamily): NftSet {
  const key = [addressType[family], "inet_proto", "inet_service"] as const;
  return { name: "untaken_services", key, dynamic: true, timeoutMs: untakenMs, size: 1_024 };
}
