import { metallbPath, ownPath, servicePath } from "../../../../../src/kube/path.ts";
import type { Cluster } from "../../fake-cluster/cluster.ts";

export type LoadBalancerName = "MetalLB" | "ServiceLB" | "kube-vip" | "cloud" | "unknown";

const managers: Readonly<Record<LoadBalancerName, string | undefined>> = {
  MetalLB: "controller",
  ServiceLB: "k3s",
  "kube-vip": "kube-vip",
  cloud: "cloud-controller-manager",
  unknown: undefined,
};

/** A Service as that load balancer leaves it, with these addresses in its status; none: it has not served it. */
export async function addServiceOf(
  cluster: Cluster,
  who: LoadBalancerName,
  name: string,
  addresses: readonly string[],
  spec: Record<string, unknown> = {},
  {
    namespace = "default",
    annotations = {},
    ...metadata
  }: { namespace?: string; annotations?: Record<string, string>; [field: string]: unknown } = {},
): Promise<void> {
  const allocated = who === "MetalLB" && addresses.length > 0 ? { "metallb.io/ip-allocated-from-pool": "lan" } : {};
  const fieldsV1 = { "f:status": { "f:loadBalancer": { "f:ingress": {} } } };
  const manager = managers[who];
  const managedFields = manager === undefined || addresses.length === 0 ? [] : [{ manager, fieldsV1 }];
  const body = {
    metadata: { name, namespace, annotations: { ...allocated, ...annotations }, managedFields, ...metadata },
    spec: {
      type: "LoadBalancer",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }],
      ...spec,
    },
  };
  await cluster.server.request({ method: "POST", path: `/api/v1/namespaces/${namespace}/services`, body });
  if (addresses.length === 0) return;
  const status = { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) } };
  const path = `${servicePath(namespace, name)}/status`;
  await cluster.patch(path, { status });
}

export async function addPoolOf(
  { server }: Cluster,
  who: "MetalLB" | "Bellhop",
  name: string,
  spec: Record<string, unknown>,
): Promise<void> {
  const path = who === "MetalLB" ? metallbPath("metallb-system", "ipaddresspools") : ownPath("ipaddresspools");
  await server.request({ method: "POST", path, body: { metadata: { name }, spec } });
}
