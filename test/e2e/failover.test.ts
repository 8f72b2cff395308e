import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startLoad } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { answeringNodes, waitForAnnouncer, waitForEveryAnswer } from "./failover.ts";
import { waitForAnswer } from "./forwarding.ts";
import { testStickyClients } from "./sticky-clients.ts";
import { createService, startWeb } from "./workload.ts";

/** So long one node alone has to answer, after what was cut is whole again. */
const calmMs = 3_000;
/** Longer than a Lease of a speaker lasts. */
const leaseMs = 30_000;

describe("a node that is out of reach", () => {
  const cluster = useCluster("nftables", "failover");
  let addresses: readonly string[] = [];

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await createService(api, "kept");
    addresses = await api.waitForAddresses("kept");
    for (const host of addresses) await waitForAnswer(api, host);
  });

  for (const [words, cut, mend] of [
    ["a cable that is pulled", "cutNode", "restoreNode"],
    ["a switch that loses all frames of a node", "silenceHost", "deliverFrames"],
  ] as const) {
    test(`${words}: another node answers, and one node alone when it is back`, async () => {
      const { lab } = cluster();
      for (const address of addresses) {
        const node = await waitForAnnouncer(lab, address);
        await lab[cut](node);
        try {
          await waitForAnnouncer(lab, address, { not: node });
          await waitForEveryAnswer(lab, address);
        } finally {
          await lab[mend](node);
        }
        await waitForAnnouncer(lab, address, { timeMs: calmMs });
        await waitForEveryAnswer(lab, address);
      }
    });
  }

  test("a node that is cut off from the API server alone keeps its addresses", async () => {
    const { lab } = cluster();
    const [address = ""] = addresses;
    const node = await waitForAnnouncer(lab, address, { timeMs: calmMs });
    const load = startLoad(lab, "client", {
      target: { protocol: "tcp", host: address, port: 80, question: "/hostname" },
      intervalMs: 50,
      timeoutMs: 5_000,
      longConnections: 5,
    });
    await lab.splitLan([node], ["control"]);
    try {
      assert.deepEqual(await answeringNodes(lab, address, leaseMs), [node]);
    } finally {
      await lab.deliverFrames();
    }
    assert.deepEqual(await answeringNodes(lab, address, calmMs), [node]);
    const { failures, broken } = await load.stop();
    assert.deepEqual({ failures, broken }, { failures: [], broken: [] });
  });

  test("a LAN in two halves: one node answers on each, and one alone when it is whole again", async () => {
    const { lab } = cluster();
    const [address = ""] = addresses;
    const node = await waitForAnnouncer(lab, address);
    const others = lab.nodes.filter((other) => other !== node);
    await lab.splitLan([node, "observer"], [...others, "client", "router", "control"]);
    try {
      await waitForAnnouncer(lab, address, { host: "client", not: node, timeMs: calmMs });
      assert.deepEqual(await answeringNodes(lab, address, calmMs), [node]);
    } finally {
      await lab.deliverFrames();
    }
    await waitForAnnouncer(lab, address, { timeMs: calmMs });
    await waitForEveryAnswer(lab, address);
  });
});

testStickyClients("nftables");
