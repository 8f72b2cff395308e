import { ownPath } from "../../../../src/kube/path.ts";
import type { Cluster } from "./cluster.ts";

export interface NodeFacts {
  /** Addresses of type InternalIP. */
  readonly internal?: readonly string[];
  /** Addresses of type ExternalIP. */
  readonly external?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly ready?: boolean;
}

/** Makes a Node of the fake cluster, or changes it, with the addresses and the condition that its kubelet would write. */
export async function putNode(
  cluster: Cluster,
  name: string,
  { internal = [], external = [], labels = {}, ready = true }: NodeFacts,
): Promise<void> {
  const path = `/api/v1/nodes/${name}`;
  const status = {
    addresses: [
      ...internal.map((address) => ({ type: "InternalIP", address })),
      ...external.map((address) => ({ type: "ExternalIP", address })),
    ],
    conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
  };
  const metadata = { labels };
  await cluster.server
    .request({ method: "POST", path: "/api/v1/nodes", body: { metadata: { name, labels } } })
    .catch(() => cluster.patch(path, { metadata }));
  await cluster.patch(`${path}/status`, { status });
}

const everyPort = ["1-65535/TCP", "1-65535/UDP"];

/** A pool of the nodes' own addresses that allows every port. */
export async function addNodePool(
  { server }: Cluster,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<void> {
  const body = { metadata: { name }, spec: { nodeAddresses: { allowedPorts: everyPort }, ...spec } };
  await server.request({ method: "POST", path: ownPath("ipaddresspools"), body });
}

export async function dropNode({ server }: Cluster, name: string): Promise<void> {
  await server.request({ method: "DELETE", path: `/api/v1/nodes/${name}` });
}

/** Nodes n1 to n3 with addresses of both families that end in the same number. */
export async function putThreeNodes(cluster: Cluster): Promise<void> {
  for (const number of [1, 2, 3]) {
    await putNode(cluster, `n${number}`, { internal: [`192.0.2.${number}`, `2001:db8::${number}`] });
  }
}

/** Makes the EndpointSlice of a Service, or changes it: one ready endpoint on each of the nodes. */
export async function putSlice(cluster: Cluster, service: string, nodes: readonly string[]): Promise<void> {
  const collection = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  const body = {
    metadata: { name: service, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
    endpoints: nodes.map((nodeName, index) => ({
      addresses: [`10.0.0.${index + 1}`],
      nodeName,
      conditions: { ready: true },
    })),
  };
  const path = `${collection}/${service}`;
  await cluster.server.request({ method: "POST", path: collection, body }).catch(() => cluster.patch(path, body));
}
