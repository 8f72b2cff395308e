import { after, before, describe, test } from "node:test";
import { ownPath } from "../../../src/kube/path.ts";
import { expectNothingLeft } from "../memory.ts";
import { World } from "./world.ts";

describe("a speaker that runs for long keeps nothing of what is over", () => {
  const world = new World();
  let turns = 0;

  function forget(): void {
    world.api.requests.length = 0;
    world.api.compact();
    world.nft.accepted.length = 0;
    world.journal.length = 0;
  }

  before(async () => {
    await world.populate("n1");
    await world.start();
  });

  after(() => world.stop());

  const stories: readonly { words: string; count: number; turn: () => Promise<void> }[] = [
    { words: "a minute at rest", count: 100, turn: () => world.clock.advance(60_000) },
    {
      words: "an address that goes to another node and back",
      count: 100,
      turn: async () => {
        await world.setOwners("192.0.2.200", ["n2"]);
        await world.setOwners("192.0.2.200", ["n1"]);
      },
    },
    {
      words: "a Service that comes and goes with its address",
      count: 100,
      turn: async () => {
        const name = `other-${++turns}`;
        await world.post("/api/v1/namespaces/default/services", {
          metadata: { name, namespace: "default" },
          spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ protocol: "TCP", port: 81, nodePort: 30081 }] },
        });
        await world.claim("192.0.2.201", ["n1"], name);
        await world.settle();
        await world.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.201") });
        await world.api.request({ method: "DELETE", path: `/api/v1/namespaces/default/services/${name}` });
        await world.settle();
        await world.clock.advance(10_000);
      },
    },
    {
      words: "watches that end",
      count: 100,
      turn: async () => {
        world.api.endWatches();
        await world.clock.advance(5_000);
      },
    },
  ];
  for (const { words, count, turn } of stories) test(words, () => expectNothingLeft(count, turn, forget));
});
