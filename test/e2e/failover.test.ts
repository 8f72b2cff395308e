import { before, describe, test } from "node:test";
import { useCluster } from "./cluster.ts";
import { waitForAnnouncer, waitForEveryAnswer } from "./failover.ts";
import { waitForAnswer } from "./forwarding.ts";
import { createService, startWeb } from "./workload.ts";

/** So long one node alone has to answer, after what was cut is whole again. */
const calmMs = 3_000;

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
});
