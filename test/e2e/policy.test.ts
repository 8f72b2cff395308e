import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CLIENT, REMOTE } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { askFrom } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { createService, startWeb } from "./workload.ts";

const directSpec = { allocateLoadBalancerNodePorts: false };

describe("what a Service says about its clients is kept", () => {
  const cluster = useCluster("nftables", "policy");
  before(() => startWeb(cluster().api));

  for (const [name, spec] of [
    ["nodeport", {}],
    ["direct", directSpec],
  ] as const) {
    test(`externalTrafficPolicy Local: pods see the client's own address (${name})`, async () => {
      const { api, lab } = cluster();
      await createService(api, `local-${name}`, { ...spec, externalTrafficPolicy: "Local" });
      for (const host of await api.waitForAddresses(`local-${name}`)) {
        const report = await askFrom(lab, "remote", { protocol: "tcp", host, port: 80, question: "/clientip" }, 5);
        assert.deepEqual(report.failures, []);
        for (const seen of Object.keys(report.answers)) {
          assert.ok(seen.includes(host.includes(":") ? REMOTE.ipv6 : REMOTE.ipv4), `the pod saw ${seen}`);
        }
      }
    });

    test(`loadBalancerSourceRanges keep others out (${name})`, async () => {
      const { api, lab } = cluster();
      const ranges = [`${CLIENT.ipv4}/32`, `${CLIENT.ipv6}/128`];
      await createService(api, `ranges-${name}`, { ...spec, loadBalancerSourceRanges: ranges });
      for (const host of await api.waitForAddresses(`ranges-${name}`)) {
        const target = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
        await waitFor({ what: `${host} to be closed to the remote client`, timeoutMs: 5_000 }, async () => {
          return (await askFrom(lab, "remote", target, 1, 500)).good === 0;
        });
        assert.deepEqual((await askFrom(lab, "client", target, 5)).failures, []);
        assert.equal((await askFrom(lab, "remote", target, 3, 500)).good, 0);
      }
    });

    test(`sessionAffinity ClientIP: one client, one pod (${name})`, async () => {
      const { api, lab } = cluster();
      await createService(api, `sticky-${name}`, { ...spec, sessionAffinity: "ClientIP" });
      for (const host of await api.waitForAddresses(`sticky-${name}`)) {
        const report = await askFrom(lab, "client", { protocol: "tcp", host, port: 80, question: "/hostname" }, 15);
        assert.deepEqual(report.failures, []);
        assert.equal(Object.keys(report.answers).length, 1, JSON.stringify(report.answers));
      }
    });
  }

  test("a Service without endpoints refuses, and does not leave the client waiting for ever", async () => {
    const { api, lab } = cluster();
    for (const [name, spec] of Object.entries({ "empty-nodeport": {}, "empty-direct": directSpec })) {
      await createService(api, name, spec, "nobody");
      for (const host of await api.waitForAddresses(name)) {
        const target = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
        // kube-proxy refuses by ICMP, of which the kernel sends one client no more than one a second (icmp(7), icmp_ratelimit), and
        // less while it also sends redirects; so not every attempt is refused.
        await waitFor({ what: `[${host}] to refuse`, timeoutMs: 60_000, intervalMs: 1_500 }, async () => {
          const [failure] = (await askFrom(lab, "client", target, 1, 4_000)).failures;
          return failure !== undefined && /ECONNREFUSED|EACCES/.test(failure.error);
        });
      }
    }
  });
});
