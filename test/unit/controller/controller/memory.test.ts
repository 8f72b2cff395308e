import { after, before, describe, test } from "node:test";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { expectNothingLeft } from "../../expect-nothing-left.ts";
import { Cluster } from "../fake-cluster/cluster.ts";

const mergePatch = "application/merge-patch+json";

describe("a controller that runs for long keeps nothing of what is over", () => {
  const clock = new FakeClock();
  const cluster = new Cluster(clock);
  let turns = 0;

  function forget(): void {
    cluster.server.requests.length = 0;
    cluster.server.compact();
  }

  before(async () => {
    await cluster.addNode("n1");
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addService("web");
    const started = cluster.start();
    await clock.advance(2_000);
    await started;
  });

  after(async () => {
    const stopped = cluster.stopAll();
    await clock.advance(5_000);
    await stopped;
  });

  const stories: readonly { words: string; count: number; turn: () => Promise<void> }[] = [
    { words: "a minute at rest", count: 200, turn: () => clock.advance(60_000) },
    {
      words: "a renewal of a speaker's lease",
      count: 200,
      turn: async () => {
        const renewTime = new Date(++turns).toISOString();
        const path = leasePath("bellhop-system", "speaker-n1");
        await cluster.server.request({ method: "PATCH", path, body: { spec: { renewTime } }, contentType: mergePatch });
        await clock.advance(100);
      },
    },
    {
      words: "watches that end",
      count: 100,
      turn: async () => {
        cluster.server.endWatches();
        await clock.advance(5_000);
      },
    },
    {
      words: "a Service of another type that comes and goes",
      count: 100,
      turn: async () => {
        const name = `other-${++turns}`;
        await cluster.addService(name, { type: "ClusterIP" });
        await clock.advance(1_000);
        await cluster.deleteService(name);
        await clock.advance(1_000);
      },
    },
    {
      words: "a pool that comes and goes",
      count: 100,
      turn: async () => {
        const name = `pool-${++turns}`;
        await cluster.addPool(name, ["198.51.100.0/24"]);
        await clock.advance(2_000);
        await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", name) });
        await clock.advance(2_000);
      },
    },
  ];
  for (const { words, count, turn } of stories) test(words, () => expectNothingLeft(count, turn, forget));
});
