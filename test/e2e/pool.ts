import { waitFor } from "../lab/wait.ts";
import type { Api, ApiObject } from "./api.ts";

const apiVersion = "bellhop.dev/v1beta1";

export interface Status {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** One condition of any status. */
export function statusOf(status: ApiObject["status"], type: string): Status | undefined {
  return (status?.conditions as Status[] | undefined)?.find((condition) => condition.type === type);
}

/** Makes, or changes, the pool `e2e-NAME`, which gives addresses only to Services that name it. */
export async function createPool(
  api: Api,
  name: string,
  addresses: readonly string[],
  spec: Record<string, unknown> = {},
): Promise<void> {
  await api.apply({
    apiVersion,
    kind: "IPAddressPool",
    metadata: { name: `e2e-${name}` },
    spec: { addresses, autoAssign: false, ...spec },
  });
}

/** Removes all pools that createPool made. */
export async function deletePools(api: Api): Promise<void> {
  for (const { metadata } of await api.list(apiVersion, "IPAddressPool")) {
    if (metadata.name.startsWith("e2e-")) await api.delete(apiVersion, "IPAddressPool", metadata.name);
  }
}

/**
 * Waits for a condition of a pool of createPool; without a name, of the lab's own. The API server keeps a deleted ServiceCIDR for ten
 * seconds more.
 */
export async function expectPool(
  api: Api,
  name: string | undefined,
  type: string,
  status: string,
  reason: string,
  says = /./,
): Promise<void> {
  const pool = name === undefined ? "lan" : `e2e-${name}`;
  await waitFor({ what: `pool ${pool} to be ${type} ${status} ${reason}`, timeoutMs: 30_000 }, async () => {
    const found = statusOf((await api.get(apiVersion, "IPAddressPool", pool)).status, type);
    return found?.status === status && found.reason === reason && says.test(found.message);
  });
}

/** Events about a pool of createPool; those of cluster-scoped objects live in the namespace default. */
export async function poolEvents(api: Api, name: string): Promise<readonly { reason: string; note: string }[]> {
  const selector = encodeURIComponent(`regarding.kind=IPAddressPool,regarding.name=e2e-${name}`);
  const path = `/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=${selector}`;
  return (await api.lab.api<{ items: { reason: string; note: string }[] }>("GET", path)).items;
}
