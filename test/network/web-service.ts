import type { EndpointPort } from "../../src/model/endpoint-slice.ts";
import type { ServicePort } from "../../src/model/service.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { port } from "../unit/speaker/dataplane/fake-node.ts";

/** The ports of a Service whose pods are those of a `Lan`. */
export const nodePorts: readonly ServicePort[] = [
  port({ name: "http", nodePort: 30080 }),
  port({ name: "dns", protocol: "UDP", port: 53, nodePort: 30053 }),
];

/** The ports of an EndpointSlice of that Service: where the pods listen. */
export const podPorts: readonly EndpointPort[] = [
  { name: "http", protocol: "TCP", port: 8080 },
  { name: "dns", protocol: "UDP", port: 5353 },
];

export function withoutNodePorts(ports: readonly ServicePort[]): readonly ServicePort[] {
  return ports.map((one) => ({ ...one, nodePort: 0 }));
}

export interface KubeProxyOptions {
  /** An address that kube-proxy knows as one of the Service. */
  readonly address: string;
  /** The node's own address, for node ports. */
  readonly node: string;
  /** The only pod that is chosen. */
  readonly pod: string;
  readonly ports?: readonly ServicePort[];
  readonly targets?: readonly EndpointPort[];
}

/** The table in which kube-proxy translates packets for the address and for the node ports to a pod, and hides clients behind the node. */
export function kubeProxyTable(
  family: NftIpFamily,
  { address, node, pod, ports = nodePorts, targets = podPorts }: KubeProxyOptions,
): string {
  const target = family === "ip" ? pod : `[${pod}]`;
  const rules = ports.flatMap(({ protocol, port: number, nodePort }, index) =>
    [
      [address, number],
      [node, nodePort],
    ].map(
      ([to, from]) =>
        `${family} daddr ${to} ${protocol.toLowerCase()} dport ${from} meta mark set meta mark or 0x4000 dnat to ${target}:${targets[index]?.port}`,
    ),
  );
  return `table ${family} kube-proxy {
    chain nat-prerouting { type nat hook prerouting priority -100; ${rules.join("; ")}; }
    chain nat-postrouting { type nat hook postrouting priority 100;
      meta mark and 0x4000 == 0x4000 meta mark set meta mark xor 0x4000 masquerade
    }
  }`;
}
