import assert from "node:assert/strict";
import { ownPath } from "../../../../src/kube/path.ts";
import { story } from "./story.ts";

story(
  "the status of an address is written by the node that announces it, and by the next one after it moved",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const { status } = await fixture.virtualIp();
    assert.deepEqual(
      { ...status, since: undefined },
      {
        node: "n1",
        interfaces: ["eth0"],
        mac: "02:00:00:00:00:01",
        since: undefined,
        cause: "Start",
        observedGeneration: 1,
      },
    );
    await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
    assert.deepEqual(fixture.responder.announced, []);
    assert.equal((await fixture.virtualIp()).status?.node, "n1", "n2 writes over it");
    await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    const moved = (await fixture.virtualIp()).status;
    assert.deepEqual([moved?.observedGeneration, moved?.cause], [3, "Start"], "n2 has not written, so n1 never ceased");
    await fixture.setOwners("192.0.2.200", []);
    assert.equal((await fixture.virtualIp()).status?.node, undefined, "nobody announces it");
  },
);

story("the status of a new address is written once", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  await fixture.serve("192.0.2.201", ["n1", "n2"], "other");
  await fixture.settle();
  await fixture.clock.advance(20_000);
  const patches = fixture.api.writes.filter(({ path }) => path.includes("/virtualips/192.0.2.201/"));
  assert.deepEqual([(await fixture.virtualIp("192.0.2.201")).status?.node, patches.length], ["n1", 1]);
});

story("an address that moves here is an event that says from where and why, and is counted", async (fixture) => {
  await fixture.populate("n2");
  await fixture.start();
  await fixture.patch(`${ownPath("virtualips", "192.0.2.200")}/status`, { status: { node: "n2" } });
  await fixture.setOwners("192.0.2.200", ["n2", "n1"]);
  await fixture.setOwners("192.0.2.200", ["n1", "n2"]);
  const { status } = await fixture.virtualIp();
  assert.deepEqual([status?.node, status?.cause, status?.observedGeneration], ["n1", "Planned", 3]);
  assert.deepEqual(fixture.events, [
    "Moved: Node n1 announces the address instead of node n2: the list of owners changed.",
  ]);
  assert.match(await fixture.registry.metrics(), /bellhop_speaker_takeovers_total\{cause="Planned"\} 1/);
});
