import { after, before, describe, test } from "node:test";
import { ownPath } from "../../../src/kube/path.ts";
import { expectNothingLeft } from "../expect-nothing-left.ts";
import { SpeakerFixture } from "./speaker-fixture.ts";

describe("a speaker that runs for long keeps nothing of what is over", () => {
  const fixture = new SpeakerFixture();
  let turns = 0;

  function forget(): void {
    fixture.api.requests.length = 0;
    fixture.api.compact();
    fixture.nft.accepted.length = 0;
    fixture.journal.length = 0;
  }

  before(async () => {
    await fixture.populate("n1");
    await fixture.start();
  });

  after(() => fixture.stop());

  const stories: readonly { words: string; count: number; turn: () => Promise<void> }[] = [
    { words: "a minute at rest", count: 100, turn: () => fixture.clock.advance(60_000) },
    {
      words: "an address that goes to another node and back",
      count: 100,
      turn: async () => {
        await fixture.setOwners("192.0.2.200", ["n2"]);
        await fixture.setOwners("192.0.2.200", ["n1"]);
        // Announcements of before are dropped from the schedule when they are due.
        await fixture.clock.advance(1_000);
      },
    },
    {
      words: "a Service that comes and goes with its address",
      count: 100,
      turn: async () => {
        const name = `other-${++turns}`;
        await fixture.post("/api/v1/namespaces/default/services", {
          metadata: { name, namespace: "default" },
          spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ protocol: "TCP", port: 81, nodePort: 30081 }] },
        });
        await fixture.claim("192.0.2.201", ["n1"], name);
        await fixture.settle();
        await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.201") });
        await fixture.api.request({ method: "DELETE", path: `/api/v1/namespaces/default/services/${name}` });
        await fixture.settle();
        await fixture.clock.advance(10_000);
      },
    },
    {
      words: "watches that end",
      count: 100,
      turn: async () => {
        fixture.api.endWatches();
        await fixture.clock.advance(5_000);
      },
    },
  ];
  for (const { words, count, turn } of stories) test(words, () => expectNothingLeft(count, turn, forget));
});
