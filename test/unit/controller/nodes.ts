import { patchTypes } from "../../../src/kube/client.ts";
import { ownPath } from "../../../src/kube/path.ts";
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
  { server }: Cluster,
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
  await server
    .request({ method: "POST", path: "/api/v1/nodes", body: { metadata: { name, labels } } })
    .catch(() => server.request({ method: "PATCH", path, body: { metadata }, contentType: patchTypes.merge }));
  await server.request({ method: "PATCH", path: `${path}/status`, body: { status }, contentType: patchTypes.merge });
}

/** A pool of the nodes' own addresses. */
export async function addNodePool(
  { server }: Cluster,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<void> {
  const body = { metadata: { name }, spec: { nodeAddresses: {}, ...spec } };
  await server.request({ method: "POST", path: ownPath("ipaddresspools"), body });
}
