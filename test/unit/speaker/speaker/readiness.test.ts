import assert from "node:assert/strict";
import type { Speaker } from "../../../../src/api/speaker.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { story } from "./story.ts";

story("a speaker that does not run yet names everything that is missing", async (fixture) => {
  assert.deepEqual(fixture.speaker.unready, [
    "services are not listed yet",
    "slices are not listed yet",
    "virtualIps are not listed yet",
    "nodes are not listed yet",
    "identities are not listed yet",
    "secrets are not listed yet",
    "the kernel thread is not running",
    "the responder thread is not running",
    "the IPv4 rules are not written yet",
    "the IPv6 rules are not written yet",
  ]);
});

story(
  "a node that cannot serve a family says so to controller and peers within seconds, and when it can again",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    await fixture.clock.advance(2_000);
    const readiness = async () => {
      const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
      const conditions = status?.conditions?.filter(({ type }) => ["RulesWritten", "Answering"].includes(type)) ?? [];
      const texts = conditions.map(({ type, status: value }) => `${type} ${value}`).sort();
      return [...(status?.readiness?.families ?? []), ...texts];
    };
    assert.deepEqual(await readiness(), ["IPv4", "IPv6", "Answering True", "RulesWritten True"]);
    const { responder } = fixture;
    assert.deepEqual(responder.health, { ipv4: true, ipv6: true });
    fixture.nft.outcomeUnknown = true;
    await fixture.serve("192.0.2.201", ["n2"], "other");
    await fixture.clock.advance(8_000);
    await fixture.settle();
    assert.deepEqual(await readiness(), ["IPv6", "Answering True", "RulesWritten False"]);
    assert.deepEqual(responder.health, { ipv4: false, ipv6: true });
    fixture.nft.outcomeUnknown = false;
    await fixture.clock.advance(40_000);
    await fixture.settle();
    assert.deepEqual(await readiness(), ["IPv4", "IPv6", "Answering True", "RulesWritten True"]);
    assert.deepEqual(responder.health, { ipv4: true, ipv6: true });
    responder.stalled = true;
    await fixture.clock.advance(10_000);
    await fixture.settle();
    assert.deepEqual(await readiness(), ["Answering False", "RulesWritten True"]);
    assert.deepEqual(responder.health, { ipv4: false, ipv6: false });
  },
);

story("a call to the kernel that takes long is why the speaker is not ready", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(2_000);
  fixture.kernel.silentMs = 29_000;
  assert.deepEqual(fixture.speaker.unready, []);
  fixture.kernel.silentMs = 31_000;
  assert.deepEqual(fixture.speaker.unready, ["the kernel thread waits for the kernel"]);
});

story("what the kernel lacks is why the speaker is not ready, once rules need it", async (fixture) => {
  fixture.missingFeatures = [{ family: "IPv4", feature: "masquerading", reason: "ENOENT" }];
  fixture.nft.run = () => Promise.reject(new BellhopError("NftFailed", "ENOENT"));
  await fixture.populate("n1");
  await fixture.start();
  assert.equal(fixture.speaker.unready[0], "the kernel lacks for IPv4: masquerading");
});

story("a kernel that cannot pass packets on keeps no speaker from being ready", async (fixture) => {
  fixture.missingFeatures = [{ family: "IPv4", chain: "pass_on", feature: "passing on", reason: "ENOENT" }];
  fixture.nft.run = () => Promise.reject(new BellhopError("NftFailed", "ENOENT"));
  await fixture.populate("n1");
  await fixture.start();
  assert.ok(!fixture.speaker.unready.some((fault) => fault.includes("passing on")), fixture.speaker.unready.join());
});

story("a kernel without IPv6 keeps no speaker from being ready where no address of IPv6 is in use", async (fixture) => {
  fixture.missingFeatures = [{ family: "IPv6", feature: "masquerading", reason: "ENOENT" }];
  await fixture.populate("n1");
  await fixture.start();
  assert.deepEqual(fixture.speaker.unready, []);
});
