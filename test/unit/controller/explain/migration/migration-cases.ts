import { metallbPath, ownPath } from "../../../../../src/kube/path.ts";
import type { Cluster } from "../../fake-cluster/cluster.ts";
import { addPoolOf, addServiceOf } from "./other-load-balancers.ts";

export interface MigrationCase {
  readonly name: string;
  readonly objects: (cluster: Cluster) => Promise<void>;
  readonly metallb?: boolean;
  readonly metallbClass?: string;
  readonly defaultClass?: boolean;
  readonly leaveClasses?: readonly string[];
  /** YAML of pools that count as applied. */
  readonly files?: string;
  /** `name outcome servedBy now -> then [code]`, in the order of names. */
  readonly services: readonly string[];
  readonly unchanged?: boolean;
}

const nodes = "192.0.2.11";

const l2 = (cluster: Cluster, spec: Record<string, unknown>): Promise<unknown> => {
  const path = metallbPath("metallb-system", "l2advertisements");
  return cluster.server.request({ method: "POST", path, body: { metadata: { name: "lan" }, spec } });
};
const bgp = (cluster: Cluster, spec: Record<string, unknown>): Promise<unknown> => {
  const path = metallbPath("metallb-system", "bgpadvertisements");
  return cluster.server.request({ method: "POST", path, body: { metadata: { name: "bgp" }, spec } });
};
const lan = (cluster: Cluster, spec: Record<string, unknown> = {}) =>
  addPoolOf(cluster, "MetalLB", "lan", { addresses: ["192.0.2.10-192.0.2.29"], ...spec });

/** What MetalLB leaves. */
const metallbCases: readonly MigrationCase[] = [
  {
    name: "an address of MetalLB's pool is kept",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web keeps MetalLB 192.0.2.10 -> 192.0.2.10"],
    unchanged: true,
  },
  {
    name: "without --metallb there is no pool",
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web loses MetalLB 192.0.2.10 ->  NoPool"],
  },
  {
    name: "an address outside MetalLB's pools is replaced",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "web", ["198.51.100.9"]);
    },
    services: ["web moves MetalLB 198.51.100.9 -> 192.0.2.10"],
  },
  {
    name: "one that is requested and in no pool is lost",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      const annotations = { "metallb.io/loadBalancerIPs": "198.51.100.9" };
      await addServiceOf(cluster, "MetalLB", "web", ["198.51.100.9"], {}, { annotations });
    },
    services: ["web loses MetalLB 198.51.100.9 ->  RequestedAddressNotInPool"],
  },
  {
    name: "a Service of MetalLB's class without --metallb-class is not served",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"], { loadBalancerClass: "metallb" });
      await addServiceOf(cluster, "MetalLB", "wait", [], { loadBalancerClass: "metallb" });
    },
    services: ["wait pending none  ->  ForeignClass", "web unserved MetalLB 192.0.2.10 ->  ForeignClass"],
  },
  {
    name: "with --metallb-class it keeps its address",
    metallb: true,
    metallbClass: "metallb",
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"], { loadBalancerClass: "metallb" });
    },
    services: ["web keeps MetalLB 192.0.2.10 -> 192.0.2.10"],
    unchanged: true,
  },
  {
    name: "a class that stays with its load balancer changes nothing",
    metallb: true,
    leaveClasses: ["example.com/cloud"],
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "cloud", "web", ["198.51.100.1"], { loadBalancerClass: "example.com/cloud" });
    },
    services: ["web left another 198.51.100.1 -> "],
    unchanged: true,
  },
  {
    name: "Services without a class are not served with --default-class=false",
    metallb: true,
    defaultClass: false,
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web unserved MetalLB 192.0.2.10 ->  NoDefaultClass"],
  },
  {
    name: "an annotation without text requests nothing",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      const annotations = { "metallb.universe.tf/loadBalancerIPs": "", "metallb.universe.tf/address-pool": " " };
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"], {}, { annotations });
    },
    services: ["web keeps MetalLB 192.0.2.10 -> 192.0.2.10"],
    unchanged: true,
  },
  {
    name: "Services that share an address keep it, also across namespaces; one with another key does not",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      const shared = (key: string) => ({ annotations: { "metallb.io/allow-shared-ip": key } });
      const port = (number: number) => ({ ports: [{ port: number, protocol: "TCP", nodePort: 30_000 + number }] });
      await addServiceOf(cluster, "MetalLB", "a", ["192.0.2.17"], port(80), shared("front"));
      await addServiceOf(cluster, "MetalLB", "b", ["192.0.2.17"], port(81), { ...shared("front"), namespace: "shop" });
      await addServiceOf(cluster, "MetalLB", "c", ["192.0.2.17"], port(82), shared("other"));
    },
    services: [
      "a keeps MetalLB 192.0.2.17 -> 192.0.2.17",
      "c moves MetalLB 192.0.2.17 -> 192.0.2.10",
      "b keeps MetalLB 192.0.2.17 -> 192.0.2.17",
    ],
  },
  {
    name: "a pool with a field that is not known is refused with its name",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster, { newRestriction: { only: "x" } });
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web loses MetalLB 192.0.2.10 ->  NoPool"],
  },
  {
    name: "a pool that is announced by BGP alone, with and without L2Advertisements of others",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await l2(cluster, { ipAddressPools: ["elsewhere"] });
      await bgp(cluster, { ipAddressPools: ["lan"] });
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web unserved MetalLB 192.0.2.10 -> 192.0.2.10 NoAnnouncer"],
  },
  {
    name: "BGP beside layer 2 changes nothing",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await l2(cluster, { ipAddressPools: ["lan"] });
      await bgp(cluster, {});
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web keeps MetalLB 192.0.2.10 -> 192.0.2.10"],
    unchanged: true,
  },
  {
    name: "a serviceSelector that the Service does not match leaves it without an announcer",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await l2(cluster, { serviceSelectors: [{ matchLabels: { exposure: "lan" } }] });
      await addServiceOf(cluster, "MetalLB", "seen", ["192.0.2.10"], {}, { labels: { exposure: "lan" } });
      await addServiceOf(cluster, "MetalLB", "unseen", ["192.0.2.13"]);
    },
    services: [
      "seen keeps MetalLB 192.0.2.10 -> 192.0.2.10",
      "unseen unserved MetalLB 192.0.2.13 -> 192.0.2.13 NoAnnouncer",
    ],
  },
  {
    name: "an interface that no node has",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await l2(cluster, { interfaces: ["eth7"] });
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.10"]);
    },
    services: ["web unserved MetalLB 192.0.2.10 -> 192.0.2.10 NoAnnouncer"],
  },
  {
    name: "a reservation for a Service that MetalLB serves: it is still MetalLB that does",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      const services = [{ namespace: "default", name: "web" }];
      await cluster.addVirtualIp("192.0.2.12", { address: "192.0.2.12", services });
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.12"]);
    },
    services: ["web keeps MetalLB 192.0.2.12 -> 192.0.2.12"],
    unchanged: true,
  },
  {
    name: "an address that another Service has in spec.externalIPs is left alone, one of its own is adopted",
    metallb: true,
    objects: async (cluster) => {
      await lan(cluster);
      await addServiceOf(cluster, "MetalLB", "own", ["192.0.2.10"], { externalIPs: ["192.0.2.10"] });
      await addServiceOf(cluster, "cloud", "inner", [], { type: "ClusterIP", externalIPs: ["192.0.2.12"] });
      await addServiceOf(cluster, "MetalLB", "web", ["192.0.2.12"]);
    },
    services: ["own keeps MetalLB 192.0.2.10 -> 192.0.2.10", "web unserved MetalLB 192.0.2.12 ->  ShownAddressTaken"],
  },
];

/** What k3s leaves: the addresses of nodes. */
const serviceLbCases: readonly MigrationCase[] = [
  {
    name: "with a pool of nodes' own addresses, Services keep them",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "nodes", { nodeAddresses: {} });
      await addServiceOf(cluster, "ServiceLB", "web", [nodes]);
    },
    services: [`web keeps ServiceLB ${nodes} -> ${nodes}`],
    unchanged: true,
  },
  {
    name: "a port that the pool does not allow",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "nodes", { nodeAddresses: {} });
      const ports = [{ port: 9000, protocol: "TCP", nodePort: 30_090 }];
      await addServiceOf(cluster, "ServiceLB", "web", [nodes], { ports });
    },
    services: [`web loses ServiceLB ${nodes} ->  NodeAddressPortNotAllowed`],
  },
  {
    name: "with a pool of the LAN, Services move, and the file counts as applied",
    files:
      "{apiVersion: bellhop.dev/v1beta1, kind: IPAddressPool, metadata: {name: p}, spec: {addresses: [192.0.2.40]}}",
    objects: (cluster) => addServiceOf(cluster, "ServiceLB", "web", [nodes]),
    services: [`web moves ServiceLB ${nodes} -> 192.0.2.40`],
  },
  {
    name: "ServiceLB is recognised by its DaemonSet alone, and by its former finalizer",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "nodes", { nodeAddresses: { allowedPorts: ["80-81/TCP"] } });
      const metadata = {
        labels: { "svccontroller.k3s.cattle.io/svcname": "a", "svccontroller.k3s.cattle.io/svcnamespace": "default" },
      };
      const path = "/apis/apps/v1/namespaces/kube-system/daemonsets";
      const body = { metadata: { name: "svclb-a-12345678", namespace: "kube-system", ...metadata } };
      await cluster.server.request({ method: "POST", path, body });
      await addServiceOf(cluster, "unknown", "a", [nodes]);
      const ports = [{ port: 81, protocol: "TCP", nodePort: 30_081 }];
      const finalizers = ["svccontroller.k3s.cattle.io/daemonset"];
      await addServiceOf(cluster, "unknown", "b", [nodes], { ports }, { finalizers });
    },
    services: [`a keeps ServiceLB ${nodes} -> ${nodes}`, `b keeps ServiceLB ${nodes} -> ${nodes}`],
    unchanged: true,
  },
];

/** What kube-vip and its cloud provider leave. */
const kubeVipCases: readonly MigrationCase[] = [
  {
    name: "with a pool of the range of its ConfigMap, Services keep what they have",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      const annotations = { "kube-vip.io/loadbalancerIPs": "192.0.2.33" };
      await addServiceOf(cluster, "kube-vip", "web", ["192.0.2.33"], { loadBalancerIP: "192.0.2.33" }, { annotations });
    },
    services: ["web keeps kube-vip 192.0.2.33 -> 192.0.2.33"],
    unchanged: true,
  },
  {
    name: "an address that kube-vip has put on an interface does not count as the node's",
    objects: async (cluster) => {
      await cluster.addNode("n2", ["192.0.2.251/24", "192.0.2.33/32"]);
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      await addServiceOf(cluster, "kube-vip", "web", ["192.0.2.33"]);
    },
    services: ["web keeps kube-vip 192.0.2.33 -> 192.0.2.33"],
    unchanged: true,
  },
  {
    name: "DHCP, which kube-vip reads from 0.0.0.0",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      await addServiceOf(cluster, "kube-vip", "web", ["192.0.2.77"], { loadBalancerIP: "0.0.0.0" });
    },
    services: ["web loses kube-vip 192.0.2.77 ->  RequestedAddressNotInPool"],
  },
  {
    name: "Services that shared an address need a key",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      const shared = (port: number) => ({
        loadBalancerIP: "192.0.2.33",
        ports: [{ port, protocol: "TCP", nodePort: 30_000 + port }],
      });
      await addServiceOf(cluster, "kube-vip", "a", ["192.0.2.33"], shared(80));
      await addServiceOf(cluster, "kube-vip", "b", ["192.0.2.33"], shared(81));
      const annotations = { "bellhop.dev/share": "front" };
      await addServiceOf(
        cluster,
        "kube-vip",
        "c",
        ["192.0.2.34"],
        { ...shared(80), loadBalancerIP: "192.0.2.34" },
        { annotations },
      );
      await addServiceOf(
        cluster,
        "kube-vip",
        "d",
        ["192.0.2.34"],
        { ...shared(81), loadBalancerIP: "192.0.2.34" },
        { annotations },
      );
    },
    services: [
      "a keeps kube-vip 192.0.2.33 -> 192.0.2.33",
      "b loses kube-vip 192.0.2.33 ->  RequestedAddressTaken",
      "c keeps kube-vip 192.0.2.34 -> 192.0.2.34",
      "d keeps kube-vip 192.0.2.34 -> 192.0.2.34",
    ],
  },
  {
    name: "the class of kube-vip",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      await addServiceOf(cluster, "kube-vip", "web", ["192.0.2.33"], {
        loadBalancerClass: "kube-vip.io/kube-vip-class",
      });
    },
    services: ["web unserved kube-vip 192.0.2.33 ->  ForeignClass"],
  },
  {
    name: "a Service that waited gets an address",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      await addServiceOf(cluster, "unknown", "web", []);
    },
    services: ["web gets none  -> 192.0.2.30"],
  },
  {
    name: "one that waits for a Service which moves away gets what that one leaves",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      await addServiceOf(cluster, "kube-vip", "b", ["192.0.2.30"], { loadBalancerIP: "192.0.2.31" });
      await addServiceOf(cluster, "unknown", "a", [], { loadBalancerIP: "192.0.2.30" });
    },
    services: ["a gets none  -> 192.0.2.30", "b moves kube-vip 192.0.2.30 -> 192.0.2.31"],
  },
  {
    name: "a host name in the status is replaced by an address",
    objects: async (cluster) => {
      await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
      await addServiceOf(cluster, "unknown", "web", []);
      await cluster.setServiceStatus("web", { loadBalancer: { ingress: [{ hostname: "lb.example.com" }] } });
    },
    services: ["web moves another lb.example.com -> 192.0.2.30"],
  },
];

export const migrationCases = [...metallbCases, ...serviceLbCases, ...kubeVipCases];

/** Collections of Bellhop's own kinds, which do not exist before it is installed. */
export const ownCollections = (
  ["ipaddresspools", "l2advertisements", "virtualips", "speakers", "speakeridentities"] as const
).map((plural) => ownPath(plural));
