import { after, before } from "node:test";
import type { LabFamilies } from "../lab/addresses.ts";
import type { Lab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { upLab } from "../lab/up.ts";
import { installProduct } from "../product/install.ts";
import { Api } from "./api.ts";
export type ProxyMode = "nftables" | "iptables";

/** One cluster with Bellhop in it, as the tests of a file use it. */
export interface Cluster {
  readonly lab: Lab;
  readonly api: Api;
}

/** The pool that each cluster has. */
export const lanPool = {
  apiVersion: "bellhop.dev/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "lan" },
  spec: { addresses: ["172.30.0.200-172.30.0.250", "fd30::200-fd30::2ff"] },
};

/**
 * Gives the tests of this file a cluster of that kube-proxy mode and those IP families with Bellhop installed and a pool. The lab is shared by all files
 * and left running for the next one; whoever runs the tests takes it down. E2E_LAB names another lab, for tests beside others. Each file works in a namespace of its own, which
 * goes when its tests are over.
 */
export function useCluster(proxy: ProxyMode, namespace: string, families: LabFamilies = "dual"): () => Cluster {
  let cluster: Cluster | undefined;
  before(async () => {
    const progress = showProgress(process.stderr);
    const name = process.env.E2E_LAB ?? (families === "dual" ? `e2e-${proxy}` : `e2e-${families}`);
    const lab = await upLab({ name, nodes: families === "dual" ? 3 : 2, proxy, families }, progress);
    await installProduct(lab, progress);
    const api = new Api(lab, namespace);
    await api.apply(lanPool);
    await api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    cluster = { lab, api };
  });
  after(async () => {
    if (cluster !== undefined) await cluster.api.deleteNamespace();
  });
  return () => {
    if (cluster === undefined) throw new TypeError("the cluster is only there while tests run");
    return cluster;
  };
}
