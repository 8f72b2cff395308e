import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { V1EndpointSlice, V1Pod } from "@kubernetes/client-node";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { runOn } from "./client.ts";
import { type ProxyMode, useCluster } from "./cluster.ts";
import { waitForAnnouncer, waitForEveryAnswer } from "./failover.ts";
import { waitForAnswer } from "./forwarding.ts";
import type { AnswerBySource, AskEachOptions } from "./probe/ask-each.ts";
import { createService, startWeb } from "./workload.ts";

const program = fileURLToPath(new URL("probe/ask-each.ts", import.meta.url));

/** So many clients that each of three pods has some, but for one time in thousands. */
const clients = Array.from({ length: 24 }, (_, index) => 130 + index);
const sources = [clients.map((last) => `172.30.0.${last}`), clients.map((last) => `fd30::${last}`)] as const;

/** Each address of the client's host asks once. */
async function askFromEach(lab: Lab, host: string): Promise<AnswerBySource> {
  const options: AskEachOptions = { sources: sources[host.includes(":") ? 1 : 0], host, port: 80, timeoutMs: 500 };
  return runOn(lab, "client", program, options);
}

/** By pod of the workload: its node. */
async function nodesOfPods(api: Api): Promise<ReadonlyMap<string, string>> {
  const pods = (await api.list("v1", "Pod")) as unknown as readonly V1Pod[];
  return new Map(pods.map(({ metadata, spec }) => [metadata?.name ?? "", spec?.nodeName ?? ""]));
}

/** Whether the cluster still takes the endpoints on the node for ready. */
async function isReadyOn(api: Api, node: string): Promise<boolean> {
  const slices = (await api.list("discovery.k8s.io/v1", "EndpointSlice")) as unknown as readonly V1EndpointSlice[];
  return slices.every(({ endpoints }) =>
    (endpoints ?? []).some(({ nodeName, conditions }) => nodeName === node && conditions?.ready === true),
  );
}

/** What clients of a Service with session affinity, which kube-proxy gave their pods, see of a node that dies with one of these pods. */
export function testStickyClients(proxy: ProxyMode): void {
  describe(`clients that stay with their pod, while a node is dead (${proxy})`, () => {
    const cluster = useCluster(proxy, `sticky-${proxy}`);
    let addresses: readonly string[] = [];

    before(async () => {
      const { api, lab } = cluster();
      await startWeb(api);
      await createService(api, "sticky", { sessionAffinity: "ClientIP" });
      addresses = await api.waitForAddresses("sticky");
      for (const host of addresses) await waitForAnswer(api, host);
      for (const [prefix, all] of [
        [24, sources[0]],
        [64, sources[1]],
      ] as const) {
        const lines = all.map((source) => `ip address replace ${source}/${prefix} dev eth0 nodad`);
        assert.equal((await lab.exec("client", ["sh", "-c", lines.join("; ")])).code, 0);
      }
    });

    after(async () => {
      const lines = sources
        .flat()
        .map((source) => `ip address delete ${source}/${source.includes(":") ? 64 : 24} dev eth0`);
      await cluster().lab.exec("client", ["sh", "-c", lines.join("; ")]);
    });

    test("those whose pods live keep them, and the others get one that lives before the cluster has noticed", async () => {
      const { api, lab } = cluster();
      const announcers = await Promise.all(addresses.map((address) => waitForAnnouncer(lab, address)));
      const victim = lab.nodes.find((node) => !announcers.includes(node)) ?? "";
      const nodes = await nodesOfPods(api);
      const before = new Map<string, AnswerBySource>();
      for (const host of addresses) {
        const answers = await askFromEach(lab, host);
        assert.deepEqual(await askFromEach(lab, host), answers, "kube-proxy keeps each client at its pod");
        assert.equal(new Set(Object.values(answers)).size, lab.nodes.length, "each pod has some of the clients");
        before.set(host, answers);
      }
      await lab.cutNode(victim);
      try {
        for (const host of addresses) {
          const first = before.get(host) ?? {};
          const what = `each client of ${host} to be answered while ${victim} is dead`;
          const answers = await waitFor({ what, timeoutMs: 30_000, intervalMs: 100 }, async () => {
            const found = await askFromEach(lab, host);
            return Object.values(found).every((pod) => nodes.has(pod)) ? found : undefined;
          });
          for (const [source, pod] of Object.entries(answers)) {
            const had = first[source] ?? "";
            if (nodes.get(had) === victim) assert.notEqual(nodes.get(pod), victim, `${source} had ${had}`);
            else assert.equal(pod, had, source);
          }
          assert.deepEqual(await askFromEach(lab, host), answers, "and each stays where it is");
        }
        assert.ok(await isReadyOn(api, victim), "the cluster has not noticed yet");
      } finally {
        await lab.restoreNode(victim);
      }
      for (const host of addresses) await waitForEveryAnswer(lab, host);
    });
  });
}
