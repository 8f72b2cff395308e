import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../lab/wait.ts";
import { startLoad } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { countRestarts, killComponent, prepareKill, waitForRestarts } from "./kill.ts";
import type { LoadReport } from "./probe/load.ts";
import { createService, startWeb } from "./workload.ts";

/** Every 100 ms, from the LAN: one new connection, one request over each of ten old ones, and one new UDP flow. */
const steady = { intervalMs: 100, timeoutMs: 8_000 } as const;
const longConnections = 10;

describe("traffic survives Bellhop and the API server", () => {
  const cluster = useCluster("nftables", "resilience", { lab: "e2e-resilience" });
  const addresses: string[] = [];

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await createService(api, "nodeport");
    await createService(api, "direct", { allocateLoadBalancerNodePorts: false });
    for (const name of ["nodeport", "direct"]) addresses.push(...(await api.waitForAddresses(name)));
    for (const host of addresses) await waitForAnswer(api, host);
  });

  /** Runs traffic to all addresses (both paths, both families) while something is done, and gives what became of it. */
  async function during(work: () => Promise<void>): Promise<void> {
    const { lab } = cluster();
    const connections = addresses.map((host) => {
      const target = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
      return startLoad(lab, "client", { ...steady, longConnections, target });
    });
    const flows = addresses.map((host) =>
      startLoad(lab, "client", { ...steady, target: { protocol: "udp", host, port: 80, question: "hostname" } }),
    );
    const loads = [...connections, ...flows];
    try {
      await sleep(2_000);
      await work();
      await sleep(2_000);
    } catch (error) {
      // Else the loads would keep this process alive for ever.
      await Promise.all(loads.map((load) => load.stop()));
      throw error;
    }
    const reportsOf = (some: typeof loads) => Promise.all(some.map((load) => load.stop()));
    const [connectionReports, flowReports] = await Promise.all([reportsOf(connections), reportsOf(flows)]);
    for (const [index, host] of addresses.entries()) {
      assertUnharmed(host, connectionReports[index]);
      assertAnswered(`UDP flows to ${host}`, flowReports[index]);
    }
  }

  for (const component of ["controller", "speaker"] as const) {
    test(`every ${component} killed with SIGKILL: open connections live on, new ones are answered`, async () => {
      const { api } = cluster();
      const restarts = await countRestarts(api, component);
      await during(async () => {
        const killed = await killComponent(api, component);
        assert.ok(killed >= 2, `${killed} containers were killed`);
        await waitForRestarts(api, component, restarts + killed);
      });
    });
  }

  test("API server dead for a minute: open connections live on, new ones are answered; afterwards addresses are given again", async () => {
    const { api, lab } = cluster();
    await during(async () => {
      await lab.stopApiServer();
      await sleep(60_000);
      await lab.startApiServer();
    });
    await createService(api, "afterwards");
    // Every client of the API server, kube-proxy too, asks again after pauses of up to half a minute each.
    const [host = ""] = await api.waitForAddresses("afterwards", 120_000);
    await waitForAnswer(api, host, 120_000);
  });

  test("every speaker killed while the API server is away: they announce again what they announced", async () => {
    const { api, lab } = cluster();
    const restarts = await countRestarts(api, "speaker");
    const kill = await prepareKill(api, "speaker");
    await lab.stopApiServer();
    try {
      const killed = await kill();
      assert.equal(killed, lab.nodes.length);
      // Only an answer to ARP or NDP brings these back, and no kernel of a node gives one.
      for (const host of addresses) await lab.exec("client", ["ip", "neighbour", "flush", "to", host]);
      for (const host of addresses) await waitForAnswer(api, host, 90_000);
    } finally {
      await lab.startApiServer();
    }
    await waitForRestarts(api, "speaker", restarts + lab.nodes.length);
  });

  test("a node that dies: another one announces its addresses and they answer again", async () => {
    const { api, lab } = cluster();
    const host = addresses[0] ?? "";
    const announcer = async () =>
      (await api.get("bellhop.dev/v1beta1", "VirtualIP", host)).status?.node as string | undefined;
    // The speakers were killed just before.
    const first = await waitFor({ what: `a node to announce ${host}`, timeoutMs: 30_000 }, announcer);
    assert.ok(lab.nodes.includes(first), `${host} is announced by ${first}`);
    await lab.stopNode(first);
    try {
      await waitFor({ what: `another node to announce ${host}`, timeoutMs: 30_000 }, async () => {
        const now = await announcer();
        return now !== undefined && now !== first;
      });
      await waitForAnswer(api, host);
    } finally {
      await lab.startNode(first);
    }
  });
});

function assertUnharmed(host: string, report: LoadReport | undefined): void {
  const { asked, broken, longAnswers } = assertAnswered(`connections to ${host}`, report);
  assert.deepEqual(broken, [], `open connections to ${host}`);
  assert.ok(longAnswers > asked, `open connections to ${host} were asked ${longAnswers} times`);
}

function assertAnswered(what: string, report: LoadReport | undefined): LoadReport {
  assert.ok(report !== undefined && report.asked > 20, `only ${report?.asked} new ${what}`);
  assert.deepEqual(report.failures, [], `new ${what}`);
  return report;
}
