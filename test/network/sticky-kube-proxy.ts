import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { nodePorts, podPorts } from "./web-service.ts";

export interface StickyOptions {
  /** An address that kube-proxy knows as one of the Service. */
  readonly address: string;
  /** All pods that it has ever known, and those that it chooses from. */
  readonly pods: readonly string[];
  readonly ready: readonly string[];
}

/**
 * The rules of kube-proxy for a port with session affinity, as its nftables mode writes them (pkg/proxy/nftables/proxier.go): a set of clients for each
 * endpoint, which new connections renew. It chooses one endpoint after the other, where kube-proxy chooses at random. Written again, it keeps the sets.
 */
export function stickyKubeProxy(family: NftIpFamily, { address, pods, ready }: StickyOptions): string {
  const type = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const lines = nodePorts.flatMap(({ protocol, port }, index) => {
    const l4 = protocol.toLowerCase();
    const endpoint = (pod: string) => `${l4}-${pods.indexOf(pod) + 1}`;
    const target = (pod: string) => `${family === "ip" ? pod : `[${pod}]`}:${podPorts[index]?.port}`;
    const choices = ready.map((pod, number) => `${number} : goto endpoint-${endpoint(pod)}`);
    return [
      ...pods.flatMap((pod) => [
        `add set ${family} kube-proxy affinity-${endpoint(pod)} { type ${type}; flags dynamic,timeout; timeout 3h; }`,
        `add chain ${family} kube-proxy endpoint-${endpoint(pod)}`,
        `flush chain ${family} kube-proxy endpoint-${endpoint(pod)}`,
        `add rule ${family} kube-proxy endpoint-${endpoint(pod)} update @affinity-${endpoint(pod)} { ${family} saddr }`,
        `add rule ${family} kube-proxy endpoint-${endpoint(pod)} meta l4proto ${l4} dnat to ${target(pod)}`,
      ]),
      `add chain ${family} kube-proxy service-${l4}`,
      `flush chain ${family} kube-proxy service-${l4}`,
      ...ready.map(
        (pod) =>
          `add rule ${family} kube-proxy service-${l4} ${family} saddr @affinity-${endpoint(pod)} goto endpoint-${endpoint(pod)}`,
      ),
      `add rule ${family} kube-proxy service-${l4} numgen inc mod ${ready.length} vmap { ${choices.join(", ")} }`,
      `add rule ${family} kube-proxy nat-prerouting ${family} daddr ${address} ${l4} dport ${port} meta mark set meta mark or 0x4000 goto service-${l4}`,
    ];
  });
  return [
    `add table ${family} kube-proxy`,
    `add chain ${family} kube-proxy nat-prerouting { type nat hook prerouting priority -100; }`,
    `flush chain ${family} kube-proxy nat-prerouting`,
    `add chain ${family} kube-proxy nat-postrouting { type nat hook postrouting priority 100; }`,
    `flush chain ${family} kube-proxy nat-postrouting`,
    `add rule ${family} kube-proxy nat-postrouting meta mark and 0x4000 == 0x4000 meta mark set meta mark xor 0x4000 masquerade`,
    ...lines,
  ].join("\n");
}
