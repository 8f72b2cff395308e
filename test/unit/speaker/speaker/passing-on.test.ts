import assert from "node:assert/strict";
import { ownPath } from "../../../../src/kube/path.ts";
import type { SpeakerFixture } from "../speaker-fixture.ts";
import { story } from "./story.ts";

/** The speaker of n2. */
async function addPeer(fixture: SpeakerFixture): Promise<void> {
  await fixture.post(ownPath("speakeridentities"), {
    apiVersion: "bellhop.dev/v1beta1",
    kind: "SpeakerIdentity",
    metadata: { name: "n2" },
    spec: { addresses: ["192.0.2.12"], port: 7482, macs: ["02:00:00:00:00:12"] },
  });
}

/** To which nodes packets of unknown connections are passed on. */
function passedOnBy({ nft }: SpeakerFixture): string {
  return JSON.stringify([...(nft.table("ip", "bellhop")?.sets.get("unknown_flows")?.elements ?? [])]);
}

story("a node that becomes an owner answers only when it passes packets on to the node before", async (fixture) => {
  await fixture.populate("n2");
  await addPeer(fixture);
  await fixture.start();
  await fixture.patch(`${ownPath("virtualips", "192.0.2.200")}/status`, { status: { node: "n2" } });
  await fixture.settle();
  fixture.journal.length = 0;
  await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
  await fixture.settle();
  assert.deepEqual(fixture.journal.slice(0, 2), ["rules ip", "holding 192.0.2.200"]);
  assert.match(passedOnBy(fixture), /pass_to_192\.0\.2\.12/);
});

story("packets for open connections are passed on to the node before, until that node is dead", async (fixture) => {
  await fixture.populate("n2");
  await addPeer(fixture);
  await fixture.start();
  await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
  await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
  const passedOn = () => passedOnBy(fixture);
  assert.match(passedOn(), /pass_to_192\.0\.2\.12/);
  const observe = (frozen: object) =>
    fixture.responder.options?.changes.factsObserved([{ kind: "peerDown", node: "n2", nodeDead: true, ...frozen }]);
  observe({ frozen: true });
  await fixture.settle();
  assert.match(passedOn(), /pass_to_192\.0\.2\.12/, "its kernel forwards, although its programs do not answer");
  observe({});
  await fixture.settle();
  assert.doesNotMatch(passedOn(), /pass_to_192\.0\.2\.12/);
});

story(
  "a node that is no longer an owner still passes packets on, until no Service has the address",
  async (fixture) => {
    await fixture.populate("n2");
    await addPeer(fixture);
    await fixture.start();
    const passedOn = () => passedOnBy(fixture);
    await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
    await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    await fixture.setOwners("192.0.2.200", ["n2"]);
    await fixture.clock.advance(15_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, []);
    assert.match(passedOn(), /pass_to_192\.0\.2\.12/);
    await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
    await fixture.settle();
    assert.doesNotMatch(passedOn(), /pass_to_192\.0\.2\.12/);
  },
);
