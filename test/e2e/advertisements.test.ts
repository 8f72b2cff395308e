import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../lab/wait.ts";
import { useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { createPool, deletePools } from "./pool.ts";
import { createService, startWeb } from "./workload.ts";

const apiVersion = "bellhop.dev/v1beta1";
const ipv4Only = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const hostname = (node: string) => [{ matchLabels: { "kubernetes.io/hostname": node } }];

describe("L2Advertisements", () => {
  const cluster = useCluster("nftables", "advertisements");
  const patterns: Readonly<Record<string, readonly string[]>> = { n1: ["eth0"], n2: ["bond*", "eth?"] };
  const address = "172.30.0.140";

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await createPool(api, "advertised", [address]);
    for (const [node, interfaces] of Object.entries(patterns)) {
      const spec = {
        ipAddressPools: ["e2e-advertised"],
        nodeSelectors: hostname(node),
        interfaces,
        serviceSelectors: [{ matchLabels: { exposure: "lan" } }],
        preferredNodeSelectors: [{ weight: 100, preference: { matchLabels: { "kubernetes.io/hostname": "n2" } } }],
      };
      await api.apply({ apiVersion, kind: "L2Advertisement", metadata: { name: `e2e-${node}` }, spec });
    }
  });

  after(async () => {
    const { api } = cluster();
    for (const node of Object.keys(patterns)) await api.delete(apiVersion, "L2Advertisement", `e2e-${node}`);
    await deletePools(api);
  });

  test("the preferred node announces, and each owner has its own interfaces", async () => {
    const { api } = cluster();
    const metadata = { annotations: { "bellhop.dev/pool": "e2e-advertised" }, labels: { exposure: "lan" } };
    await createService(api, "advertised", ipv4Only, "web", metadata);
    assert.deepEqual(await api.waitForAddresses("advertised"), [address]);
    await waitFor({ what: "owners with their interfaces", timeoutMs: 15_000 }, async () => {
      const { owners, interfaces, ownerInterfaces } = (await api.get(apiVersion, "VirtualIP", address)).spec ?? {};
      assert.deepEqual(
        { owners, interfaces, ownerInterfaces },
        {
          owners: ["n2", "n1"],
          interfaces: patterns.n2,
          ownerInterfaces: [{ node: "n1", interfaces: patterns.n1 }],
        },
      );
      return true;
    });
    await waitForAnswer(api, address);
    assert.equal((await api.get(apiVersion, "VirtualIP", address)).status?.node, "n2");
  });

  test("a Service that no advertisement selects any longer keeps its address and is not announced", async () => {
    const { api } = cluster();
    await api.lab.kubectl(["-n", api.namespace, "label", "service", "advertised", "exposure=none", "--overwrite"]);
    await waitFor({ what: "the address to be announced by no node", timeoutMs: 15_000 }, async () => {
      const { spec, status } = await api.get(apiVersion, "VirtualIP", address);
      return (spec?.owners as readonly string[] | undefined)?.length === 0 && status?.node === undefined;
    });
    assert.deepEqual(await api.waitForAddresses("advertised"), [address]);
  });
});
