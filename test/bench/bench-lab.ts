import { Api } from "../e2e/api.ts";
import { startWeb } from "../e2e/workload.ts";
import type { Progress } from "../lab/progress.ts";
import { upLab } from "../lab/up.ts";
import { installProduct } from "../product/install.ts";

/**
 * Does the work on three nodes with Bellhop, a pool and a pod on every node, in a lab of its own, which is taken down
 * whatever becomes of the work.
 */
export async function withBenchLab(progress: Progress, work: (api: Api) => Promise<void>): Promise<void> {
  const lab = await upLab({ name: "bench", nodes: 3 }, progress);
  try {
    await installProduct(lab, progress);
    const api = new Api(lab, "default");
    await api.apply({
      apiVersion: "bellhop.dev/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: "lan" },
      spec: { addresses: ["172.30.0.200-172.30.0.250", "fd30::200-fd30::2ff"] },
    });
    await startWeb(api);
    await work(api);
  } finally {
    await progress.step("take the lab down", () => lab.down());
  }
}
