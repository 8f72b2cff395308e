import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CLIENT, REMOTE } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { askFrom, startLoad } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { assertRefuses, waitForAnnouncement, waitForRefusal } from "./refusal.ts";
import { createService, startWeb, waitForEndpoints } from "./workload.ts";

const directSpec = { allocateLoadBalancerNodePorts: false };
const paths = [
  ["nodeport", {}],
  ["direct", directSpec],
] as const;

describe("what a Service says about its clients is kept", () => {
  const cluster = useCluster("nftables", "policy");
  before(() => startWeb(cluster().api));

  for (const [name, spec] of paths) {
    test(`externalTrafficPolicy Local: pods see the client's own address (${name})`, async () => {
      const { api, lab } = cluster();
      await createService(api, `local-${name}`, { ...spec, externalTrafficPolicy: "Local" });
      await waitForEndpoints(api, `local-${name}`);
      for (const host of await api.waitForAddresses(`local-${name}`)) {
        await waitForAnswer(api, host);
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
      await waitForEndpoints(api, `ranges-${name}`);
      for (const host of await api.waitForAddresses(`ranges-${name}`)) {
        await waitForAnswer(api, host);
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
      await waitForEndpoints(api, `sticky-${name}`);
      for (const host of await api.waitForAddresses(`sticky-${name}`)) {
        await waitForAnswer(api, host);
        const report = await askFrom(lab, "client", { protocol: "tcp", host, port: 80, question: "/hostname" }, 15);
        assert.deepEqual(report.failures, []);
        assert.equal(Object.keys(report.answers).length, 1, JSON.stringify(report.answers));
      }
    });
  }

  for (const [name, spec] of paths) {
    test(`without endpoints every attempt is refused, with some they answer, and without them again not (${name})`, async () => {
      const { api } = cluster();
      const service = `empty-${name}`;
      await createService(api, service, spec, "nobody");
      const hosts = await api.waitForAddresses(service);
      for (const host of hosts) {
        await waitForAnnouncement(api, host);
        for (const from of ["client", "remote"]) await assertRefuses(api, from, host);
      }
      await createService(api, service, spec);
      for (const host of hosts) {
        await waitForAnswer(api, host);
        await assertAnswers(api, "client", { protocol: "tcp", host, port: 80, question: "/hostname" });
      }
      await createService(api, service, spec, "nobody");
      for (const host of hosts) {
        await waitForRefusal(api, "client", host, "tcp");
        await assertRefuses(api, "client", host);
      }
    });
  }

  for (const [name, spec] of paths) {
    test(`connections stay open when their Service no longer has endpoints (${name})`, async () => {
      await assertLivesOn(`left-${name}`, spec);
    });
  }

  async function assertLivesOn(name: string, spec: Record<string, unknown>): Promise<void> {
    const { api, lab } = cluster();
    await createService(api, name, spec);
    const hosts = await api.waitForAddresses(name);
    for (const host of hosts) await waitForAnswer(api, host);
    const loads = hosts.map((host) => {
      const target = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
      return startLoad(lab, "client", { target, intervalMs: 100, timeoutMs: 5_000, longConnections: 5 });
    });
    try {
      for (const host of hosts) {
        await waitFor({ what: `connections to [${host}]`, timeoutMs: 10_000 }, async () => {
          const { stdout } = await lab.exec("client", ["ss", "-Htn", "state", "established"]);
          const peers = stdout.replaceAll(/[[\]]/g, "").split("\n");
          return peers.filter((line) => line.trimEnd().endsWith(` ${host}:80`)).length >= 5;
        });
      }
      await createService(api, name, spec, "nobody");
      for (const host of hosts) await waitForRefusal(api, "client", host, "tcp");
      for (const host of hosts) await assertRefuses(api, "client", host);
    } catch (error) {
      // Else the loads would keep this process alive for ever.
      await Promise.all(loads.map((load) => load.stop()));
      throw error;
    }
    const reports = await Promise.all(loads.map((load) => load.stop()));
    for (const { broken } of reports) assert.deepEqual(broken, []);
  }
});
