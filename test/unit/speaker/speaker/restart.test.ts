import assert from "node:assert/strict";
import { parseLastStakes } from "../../../../speaker/last-stakes/last-stakes.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { arpRequest } from "../responder/frames.ts";
import { SpeakerFixture } from "../speaker-fixture.ts";
import { pass, story } from "./story.ts";

story("the end leaves rules and lease, and stops the responder last", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.stop();
  assert.equal(fixture.responder.alive, false);
  assert.ok(fixture.nft.table("ip", "bellhop") !== undefined);
  const lease = await fixture.get<{ spec: { holderIdentity: string } }>(leasePath("bellhop-system", "speaker-n1"));
  assert.equal(lease.spec.holderIdentity, "n1");
});

for (const { words, afterMs, journal } of [
  { words: "at once continues by the same claims", afterMs: 0, journal: ["resume 192.0.2.200"] },
  { words: "within 5 s does, too", afterMs: 5000, journal: ["resume 192.0.2.200"] },
  { words: "later does not: other nodes have taken over", afterMs: 5001, journal: [] },
  { words: "before the end of the one before, by a clock that was set back, does not", afterMs: -1, journal: [] },
]) {
  story(`a speaker that starts again ${words}`, async (fixture) => {
    await fixture.populate("n1");
    await fixture.serve("192.0.2.201", ["n2", "n1"], "other");
    await fixture.start();
    await fixture.clock.advance(3_000);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    await fixture.stop();
    const { lastStakes = "" } = fixture;
    const endedMs = parseLastStakes(lastStakes, "n1")?.restart?.atMs ?? Number.NaN;
    const next = new SpeakerFixture();
    next.lastStakes = lastStakes;
    await next.clock.advance(endedMs + afterMs - next.clock.wallMs());
    await next.start();
    assert.deepEqual(
      next.journal.filter((entry) => entry.startsWith("resume")),
      journal,
    );
    await next.stop();
  });
}

story("a speaker that leaves keeps no claims", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  await fixture.patch("/api/v1/nodes/n1", { spec: { unschedulable: true } });
  await fixture.settle();
  await fixture.stop();
  assert.equal(parseLastStakes(fixture.lastStakes ?? "", "n1")?.restart, undefined);
});

for (const [words, node, intent] of [
  ["a node that stays", {}, "restart"],
  ["a cordoned node", { spec: { unschedulable: true } }, "leave"],
  [
    "a node that is excluded from load balancers",
    { metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } } },
    "leave",
  ],
] as const) {
  story(`when the speaker of ${words} ends, it tells the others that it does so to ${intent}`, async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch("/api/v1/nodes/n1", node);
    await fixture.start();
    await fixture.stop();
    assert.equal(fixture.journal.at(-1), `leave with the intent to ${intent}`);
  });
}

story("a restart while the API server is away announces again what was announced, after a probe", async (fixture) => {
  await fixture.populate("n1");
  await fixture.serve("192.0.2.201", ["n2", "n1"], "other");
  await fixture.start();
  await fixture.clock.advance(3_000);
  const kept = fixture.lastStakes;
  assert.ok(kept !== undefined);
  const next = new SpeakerFixture();
  try {
    next.lastStakes = kept;
    next.api.intercept = () => {
      throw new BellhopError("ApiUnreachable", "no route");
    };
    await next.start();
    await next.clock.advance(2_000);
    assert.deepEqual(next.responder.stakes, []);
    await next.clock.advance(1_000);
    await next.settle();
    assert.deepEqual(next.responder.stakes, ["192.0.2.200", "192.0.2.201"]);
    assert.deepEqual(next.responder.announced, [], "the LAN is asked first");
    await pass(next, 300);
    assert.deepEqual(next.responder.announced, ["192.0.2.200 eth0"]);
    assert.equal(next.journal.filter((entry) => entry.startsWith("rules")).length, 0);
    assert.equal(next.lastStakes, kept, "the next speaker may need it, too");
  } finally {
    await next.stop();
  }
});

story("an address that another device answers for meanwhile is not announced after such a restart", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  const next = new SpeakerFixture();
  try {
    next.lastStakes = fixture.lastStakes;
    next.api.intercept = () => {
      throw new BellhopError("ApiUnreachable", "no route");
    };
    await next.start();
    await next.clock.advance(3_000);
    await next.settle();
    next.responder.sockets.socket("eth0", "arp")?.inbox.push(arpRequest("192.0.2.11", "192.0.2.200"));
    next.responder.turn();
    await next.clock.advance(1_000);
    next.responder.turn();
    await next.settle();
    assert.deepEqual(next.responder.announced, []);
  } finally {
    await next.stop();
  }
});

story("an address that the node is no longer an owner of is kept for the next speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { owners: ["n2"] } });
  fixture.responder.options?.changes.factsObserved([{ kind: "released", address: "192.0.2.200", to: "n2" }]);
  await fixture.clock.advance(3_000);
  await fixture.settle();
  assert.deepEqual(JSON.parse(fixture.lastStakes ?? "").former, [{ address: "192.0.2.200", previous: [] }]);
});
