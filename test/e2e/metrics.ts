import { waitFor } from "../lab/wait.ts";
import { productNamespace } from "../product/install.ts";
import type { Api } from "./api.ts";

/** Where the controller tells its metrics (deploy/base). */
const port = 7480;

interface PodList {
  readonly items: readonly {
    readonly spec: { readonly nodeName: string };
    readonly status: { readonly podIP: string };
  }[];
}

/**
 * Waits until every controller, the one that leads and those that stand by, tells this value of a sample
 * (`bellhop_pools_rejected`, with its labels where it has any); undefined: tells none.
 */
export async function expectMetric(api: Api, sample: string, value: number | undefined): Promise<void> {
  const path = `/api/v1/namespaces/${productNamespace}/pods?labelSelector=app.kubernetes.io/component=controller`;
  const { items } = await api.lab.api<PodList>("GET", path);
  for (const { spec, status } of items) {
    const host = status.podIP.includes(":") ? `[${status.podIP}]` : status.podIP;
    const what = `${sample} to be ${value} on ${spec.nodeName}`;
    await waitFor({ what, timeoutMs: 15_000, intervalMs: 300 }, async () => {
      const { stdout } = await api.lab.exec(spec.nodeName, ["curl", "--silent", `http://${host}:${port}/metrics`]);
      const line = stdout.split("\n").find((text) => text.startsWith(`${sample} `));
      return stdout !== "" && (line === undefined ? undefined : Number(line.slice(sample.length))) === value;
    });
  }
}
