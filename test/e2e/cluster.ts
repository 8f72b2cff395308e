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

interface ClusterOptions {
  readonly families?: LabFamilies;
  /** The lab to use; by default the one of the mode of kube-proxy and the families. */
  readonly lab?: string;
  /** Neither Bellhop nor its pool is installed. */
  readonly withoutBellhop?: boolean;
}

/**
 * Gives the tests of this file a cluster of that mode of kube-proxy and those IP families, with Bellhop and a pool. The lab is shared by all files
 * that use it, one after the other, and left running for the next one; `test/run.ts` takes it down. E2E_LAB names another lab, for tests beside others.
 * Each file works in a namespace of its own, which goes when its tests are over. The switch of the lab with IPv6 only snoops MLD.
 */
export function useCluster(proxy: ProxyMode, namespace: string, options: ClusterOptions = {}): () => Cluster {
  const { families = "dual", withoutBellhop = false } = options;
  const ofMode = families === "dual" ? `e2e-${proxy}` : `e2e-${families}-${proxy}`;
  let cluster: Cluster | undefined;
  before(async () => {
    const progress = showProgress(process.stderr);
    const name = process.env.E2E_LAB ?? options.lab ?? ofMode;
    const nodes = families === "dual" ? 3 : 2;
    const lab = await upLab({ name, nodes, proxy, families, mldSnooping: families === "ipv6" }, progress);
    const api = new Api(lab, namespace);
    if (!withoutBellhop) {
      await installProduct(lab, progress);
      await api.apply(lanPool);
    }
    await api.createNamespace();
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
